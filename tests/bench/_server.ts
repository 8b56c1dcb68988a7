/**
 * What the servers under test have in common: each is a process of its own,
 * run with `ours` or `bare`.
 *
 * @module
 */

import type { Server } from "node:net";
import process from "node:process";

/** Options of ours: no peer is refused while it is measured. */
export const OPTIONS = {
  trust: ["127.0.0.1"],
  timeout: 60_000,
  maxPending: 20_000,
};

/** Length of the header that the load sends. */
export const HEADER_LENGTH = 28;

/** Bytes of payload on a short connection, which are echoed. */
export const MESSAGE_LENGTH = 64;

/** Whether the server is to use the library. */
export const isOurs: boolean = process.argv[2] === "ours";

/** What else it was started with. */
export const args: readonly string[] = process.argv.slice(3);

/** Whether connections are to stay open when they have been answered. */
export const stays: boolean = args.includes("stay");

/** Tells where the server listens; it ends when its input does. */
export function serveAt(port: number | undefined): void {
  console.log(`${port} ${process.pid}`);
  process.stdin.resume().on("end", () => process.exit());
}

/** Makes a server of Node listen, and tells where. */
export function listenHere(server: Server): void {
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address === "object") serveAt(address?.port);
  });
}
