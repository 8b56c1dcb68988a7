import type { HostPort } from "./args.ts";
import { answerOutput, type CliIo, writeAll } from "./io.ts";

/** Sends the header, then copies both ways until the peer has ended. */
export async function exchange(
  io: CliIo,
  header: Uint8Array,
  target: HostPort,
): Promise<void> {
  using conn = await Deno.connect(target);
  const ended = new AbortController();
  await writeAll(conn, header); // one buffer: many receivers refuse a split header
  // Not to `conn.writable`: a failure of it would end the reading as well.
  const sending = new WritableStream<Uint8Array>({
    write: (bytes) => writeAll(conn, bytes),
    close: () => conn.closeWrite(),
  });
  let failure: unknown;
  io.input.pipeTo(sending, { signal: ended.signal })
    .catch((error) => failure = error);
  const output = answerOutput(io).getWriter();
  const buffer = new Uint8Array(65536);
  try {
    for (let received = 0;;) {
      const count = await conn.read(buffer);
      // The peer may end before the input does: what it said is what counts.
      if (count === null && received === 0 && failure) throw failure;
      if (count === null) return await output.close();
      received += count;
      await output.write(buffer.subarray(0, count));
    }
  } finally {
    ended.abort();
  }
}
