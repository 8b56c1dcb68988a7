import { isPeerGone } from "../admission/refusal.ts";
import type { HostPort } from "./read_text.ts";
import { answerOutput, type CliIo, writeAll } from "./io.ts";
import { dial } from "./socket_conn.ts";

/**
 * Time in ms for a server to answer or close before the end of the input is sent.
 * Many servers close at that end. Without this time, a server that rejects the
 * header would look like a server that accepts it.
 */
const VERDICT_TIME = 1000;

/**
 * Behaviour of a server: it sent an answer, closed or reset the connection without
 * an answer, or closed it without an answer after the end of the input.
 */
export type Verdict = "answered" | "closed" | "reset" | "silent";

/** Sends the header, then copies in both directions until the peer has ended. */
export async function exchange(
  io: CliIo,
  header: Uint8Array,
  target: HostPort,
): Promise<Verdict> {
  const conn = await dial(target);
  const ended = new AbortController();
  const heard = Promise.withResolvers<void>();
  let isEndSent = false;
  const sending = new WritableStream<Uint8Array>({
    write: (bytes) => writeAll(conn, bytes),
    async close() {
      const timer = setTimeout(heard.resolve, VERDICT_TIME);
      await heard.promise;
      clearTimeout(timer);
      isEndSent = true;
      await conn.closeWrite();
    },
  });
  let failure: unknown;
  let received = 0;
  try {
    await writeAll(conn, header); // one buffer: many receivers reject a split header
    io.input.pipeTo(sending, { signal: ended.signal })
      .catch((error) => failure = error);
    const output = answerOutput(io).getWriter();
    const buffer = new Uint8Array(65536);
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) break;
      heard.resolve();
      received += count;
      await output.write(buffer.subarray(0, count));
    }
    // The peer may end before the input does. Only its answer counts.
    if (failure !== undefined && received === 0) throw failure;
    const verdict = received > 0 ? "answered" : isEndSent ? "silent" : "closed";
    await output.close();
    return verdict;
  } catch (error) {
    if (received === 0 && isPeerGone(error)) return "reset";
    throw error;
  } finally {
    heard.resolve();
    ended.abort();
    conn.close();
  }
}
