/** Passes each connection on, with its header, on Deno. */

import { proxied, relay } from "../../mod.ts";
import { args, HEADER_LENGTH, isOurs, OPTIONS, serveAt } from "./_server.ts";

const BUFFER_SIZE = 65536;

const dial = () =>
  Deno.connect({ hostname: "127.0.0.1", port: +(args[0] ?? 0) });

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(BUFFER_SIZE);
  for (;;) {
    const count = await from.read(buffer);
    if (count === null) break;
    for (let at = 0; at < count;) {
      at += await to.write(buffer.subarray(at, count));
    }
  }
  await to.closeWrite().catch(() => {}); // it has closed both of its directions
}

async function pass(from: Deno.Conn): Promise<void> {
  const header = new Uint8Array(HEADER_LENGTH);
  await from.read(header);
  const to = await dial();
  await to.write(header);
  await Promise.all([copy(from, to), copy(to, from)]);
  from.close();
  to.close();
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
serveAt(listener.addr.port);
if (isOurs) {
  for await (const conn of proxied(listener, OPTIONS)) {
    relay(conn, dial, { send: 2 });
  }
} else for await (const conn of listener) pass(conn);
