/**
 * When a server has read what it was sent, as Linux tells it.
 *
 * @module
 */

import { LONGEST_WAIT } from "../../../_within.ts";

/** How long to wait before each look, in ms. */
const DELAY = 5;

/** The state of a connection that no end has closed. */
const ESTABLISHED = "01";

/** One end of a connection. */
interface End {
  state: string;
  /** How many bytes the other end has not got. */
  unsent: number;
  /** How many bytes nobody has read. */
  unread: number;
  /** Whether somebody has accepted it. */
  isAccepted: boolean;
}

/**
 * Waits until the server has read all that a connection has sent, or has closed
 * it: what is sent then cannot be read together with that.
 */
export async function untilTaken(conn: Deno.TcpConn): Promise<void> {
  const { localAddr: { port: ours }, remoteAddr: { port: theirs } } = conn;
  const deadline = Date.now() + LONGEST_WAIT;
  while (Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, DELAY));
    const table = await Deno.readTextFile("/proc/net/tcp");
    const near = findEnd(table, ours, theirs);
    const far = findEnd(table, theirs, ours);
    if (far?.state !== ESTABLISHED) return;
    if (near?.unsent === 0 && far.isAccepted && far.unread === 0) return;
  }
  throw new Error(`Waited ${LONGEST_WAIT} ms for port ${theirs} to read`);
}

/** The line that is `ADDRESS:PORT PEER:PORT STATE UNSENT:UNREAD … INODE`. */
function findEnd(table: string, port: number, peer: number): End | undefined {
  const ends = `:${toHex(port)} [0-9A-F]+:${toHex(peer)}`;
  const [, state, unsent = "", unread = "", inode] = new RegExp(
    `${ends} (\\w+) (\\w+):(\\w+)(?: +\\S+){4} +(\\d+)`,
  ).exec(table) ?? [];
  if (state === undefined) return undefined;
  return {
    state,
    unsent: parseInt(unsent, 16),
    unread: parseInt(unread, 16),
    isAccepted: inode !== "0",
  };
}

function toHex(port: number): string {
  return port.toString(16).toUpperCase().padStart(4, "0");
}
