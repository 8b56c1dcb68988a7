/**
 * Measures the codec in a process of its own, and prints the times as JSON: what
 * a process has compiled and collected before must not count.
 *
 * @module
 */

import process from "node:process";
import { codecSamples } from "./codec.ts";
import { loadPeers } from "./peers.ts";

const [rounds = 1, time = 1] = process.argv.slice(2).map(Number);
console.log(JSON.stringify(codecSamples(loadPeers(), { rounds, time })));
