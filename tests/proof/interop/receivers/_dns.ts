/**
 * A client of DNS that asks for the text of `who.`, over TCP and UDP.
 *
 * @module
 */

import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { concat } from "@std/bytes";
import { encode } from "../../../../mod.ts";
import { LONGEST_WAIT } from "../../../_within.ts";
import { receive } from "../../../conn/_loopback.ts";
import { dial, isReset, sendHeader } from "./_client.ts";
import { outcomeOf, readFacts } from "./_facts.ts";
import type { Sent } from "./_receiver.ts";

/** A query for TXT of `who.` with recursion, behind its id. */
const QUERY_TAIL = Uint8Array.fromHex(
  "010000010000000000000377686f0000100001",
);

/** What an answer has before its records. */
const HEAD_LENGTH = 2 + QUERY_TAIL.length;

function query(id: number): Uint8Array<ArrayBuffer> {
  return concat([Uint8Array.of(0, id), QUERY_TAIL]);
}

/** What a server says in its answer over TCP. */
export async function askDnsOverTcp(
  port: number,
  sent: Sent,
): Promise<string> {
  using conn = await dial(port);
  const message = query(1);
  try {
    const prefixed = concat([Uint8Array.of(0, message.length), message]);
    await sendHeader(conn, sent, prefixed);
    const length = await receive(conn, 2);
    if (length.length === 0) return "refused";
    const answer = await receive(
      conn,
      new DataView(length.buffer).getUint16(0),
    );
    return outcomeOf(readFacts(textOf(answer)), conn.localAddr.port);
  } catch (error) {
    if (isReset(error)) return "refused";
    throw error;
  }
}

/**
 * What a server says in its answer over UDP. One that refuses a datagram says
 * nothing, so that it is sent a second one which it takes: the answer to that
 * shows that there is none to the first.
 */
export async function askDnsOverUdp(
  port: number,
  { header }: Sent,
): Promise<string> {
  // Deno's own sockets for datagrams are unstable.
  const socket = createSocket("udp4");
  const signal = AbortSignal.timeout(LONGEST_WAIT);
  try {
    socket.bind(0, "127.0.0.1");
    await once(socket, "listening", { signal });
    const answered = once(socket, "message", { signal });
    await sendDatagram(socket, port, concat([header, query(1)]));
    await sendDatagram(
      socket,
      port,
      concat([encode({ command: "LOCAL" }), query(2)]),
    );
    const [answer]: Uint8Array[] = await answered;
    if (answer === undefined || answer[1] === 2) return "refused";
    return outcomeOf(readFacts(textOf(answer)), socket.address().port);
  } finally {
    socket.close();
  }
}

/** Sends one; without waiting for that, a later one could overtake it. */
async function sendDatagram(
  socket: Socket,
  port: number,
  bytes: Uint8Array,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.send(
    bytes,
    port,
    "127.0.0.1",
    (error) => error ? reject(error) : resolve(),
  );
  await promise;
}

/** The text of the first record. */
function textOf(answer: Uint8Array): string {
  const [, , , flags = 0, , , , count = 0] = answer;
  if (count === 0) {
    throw new Error(`No record in an answer, code ${flags & 15}`);
  }
  // Its name is a pointer, or once more the 5 bytes of `who.`; behind it are
  // 10 bytes before the data, which are a length and that much text.
  const at = HEAD_LENGTH + (answer[HEAD_LENGTH] === 3 ? 5 : 2) + 10;
  const [length = 0, ...text] = answer.subarray(at);
  return new TextDecoder().decode(Uint8Array.from(text).subarray(0, length));
}
