/**
 * Clients that send a header and a request behind it.
 *
 * @module
 */

import { concat } from "@std/bytes";
import { utf8 } from "../../../_bytes.ts";
import { LONGEST_WAIT } from "../../../_within.ts";
import { send } from "../../../conn/_loopback.ts";
import { outcomeOf, readFacts, type Reply } from "./_facts.ts";
import type { Sent } from "./_receiver.ts";
import { untilTaken } from "./_taken.ts";

/** Sends a header and a request to a port; what came of it. */
export type Ask = (port: number, sent: Sent) => Promise<string>;

/** Connects for as long as an answer may take. */
export async function dial(port: number): Promise<Disposable & Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const timer = setTimeout(() => conn.close(), LONGEST_WAIT);
  const dispose = conn[Symbol.dispose].bind(conn);
  conn[Symbol.dispose] = () => {
    clearTimeout(timer);
    dispose();
  };
  return conn;
}

/** Sends a header, and in the write of its end what follows it. */
export async function sendHeader(
  conn: Deno.TcpConn,
  { header, cut = 0 }: Sent,
  request: Uint8Array,
): Promise<void> {
  if (cut > 0) {
    await send(conn, header.subarray(0, cut));
    await untilTaken(conn);
  }
  await send(conn, concat([header.subarray(cut), request]));
}

/**
 * Sends a header with what follows it, and reads until the end or until the
 * answer is complete.
 */
export async function exchange(
  port: number,
  sent: Sent,
  request: string,
  isComplete: (text: string) => boolean = () => false,
): Promise<Reply> {
  using conn = await dial(port);
  const reply = { text: "", port: conn.localAddr.port };
  try {
    await sendHeader(conn, sent, utf8(request));
    await readText(conn, reply, isComplete);
  } catch (error) {
    if (!isReset(error)) throw error;
  }
  return reply;
}

/** Reads into a reply, which keeps what came before a reset. */
async function readText(
  conn: Deno.Conn,
  reply: Reply,
  isComplete: (text: string) => boolean,
): Promise<void> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  while (!isComplete(reply.text)) {
    const count = await conn.read(buffer);
    if (count === null) return;
    reply.text += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
}

/** Whether a server has refused rather than failed to answer. */
export function isReset(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe;
}

/** Asks what a server says in its answer to a request as `src=… sport=…`. */
export function asking(
  request: string,
  isComplete?: (text: string) => boolean,
): Ask {
  return async (port, sent) => {
    const reply = await exchange(port, sent, request, isComplete);
    return outcomeOf(readFacts(reply.text), reply.port);
  };
}

/** Asks a server of HTTP, which closes then. */
export const askHttp: Ask = asking(
  "GET /who HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
);
