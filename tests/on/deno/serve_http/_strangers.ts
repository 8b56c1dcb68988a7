/**
 * Connects to a port that is not for it, from any free port, sends requests and
 * resets the connection at once; again and again until its input ends. It prints
 * how often.
 *
 * @module
 */

import { request } from "./_kit.ts";

const [port = ""] = Deno.args;
const bytes = new TextEncoder().encode(request("/stranger").repeat(20));
let count = 0;
let isOver = false;

async function intrude(): Promise<void> {
  while (!isOver) {
    try {
      using conn = await Deno.connect({
        hostname: "127.0.0.1",
        port: Number(port),
      });
      await conn.write(bytes);
      count++;
    } catch {
      // No port is left for a moment.
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }
}

console.log("begins");
const intruding = Array.from({ length: 8 }, intrude);
for await (const _bytes of Deno.stdin.readable);
isOver = true;
await Promise.all(intruding);
console.log(count);
