/** Reads each connection to its end in one of the ways, on Deno. */

import { proxied } from "../../mod.ts";
import { args, HEADER_LENGTH, isOurs, OPTIONS, serveAt } from "./_server.ts";

const CHUNK_SIZE = 65536;

type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

const WAYS: Record<string, (readable: Bytes) => Promise<void>> = {
  async iteration(readable) {
    for await (const _ of readable);
  },
  async default(readable) {
    const reader = readable.getReader();
    while (!(await reader.read()).done);
  },
  async byob(readable) {
    const reader = readable.getReader({ mode: "byob" });
    for (let view = new Uint8Array(CHUNK_SIZE);;) {
      const { value, done } = await reader.read(view);
      if (done) return;
      view = new Uint8Array(value.buffer);
    }
  },
  async pipe(readable) {
    await readable.pipeTo(new WritableStream());
  },
};

async function sink(conn: Deno.Conn): Promise<void> {
  await WAYS[args[0] ?? ""]?.(conn.readable);
  try {
    conn.close();
  } catch {
    // The stream of the runtime closes it.
  }
}

async function sinkBehindHeader(conn: Deno.Conn): Promise<void> {
  await conn.read(new Uint8Array(HEADER_LENGTH));
  await sink(conn);
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
serveAt(listener.addr.port);
if (isOurs) { for await (const conn of proxied(listener, OPTIONS)) sink(conn); }
else for await (const conn of listener) sinkBehindHeader(conn);
