/**
 * What a script that is started by `_servers.ts` has to do in return.
 *
 * @module
 */

import process from "node:process";

/** Tells the port, and ends the script when its input does. */
export function tell(port: number | undefined): void {
  console.log(port);
  process.stdin.resume().on("end", () => process.exit());
}
