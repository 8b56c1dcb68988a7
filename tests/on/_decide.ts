/** Tells every decision of trust, on any runtime. */

import process from "node:process";
import { decideAll } from "../conn/_trust_cases.ts";

process.stdout.write(decideAll());
