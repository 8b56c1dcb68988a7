/** Echoes one message behind the header of each connection, on Deno. */

import { proxied } from "../../mod.ts";
import {
  HEADER_LENGTH,
  isOurs,
  MESSAGE_LENGTH,
  OPTIONS,
  serveAt,
  stays,
} from "./_server.ts";

type Conn = Pick<Deno.Conn, "read" | "write" | "close">;

async function echo(conn: Conn): Promise<void> {
  const message = new Uint8Array(MESSAGE_LENGTH);
  if (await conn.read(message) !== null) await conn.write(message);
  if (stays) await conn.read(message).catch(() => {}); // until the peer leaves
  conn.close();
}

async function echoBehindHeader(conn: Conn): Promise<void> {
  await conn.read(new Uint8Array(HEADER_LENGTH));
  await echo(conn);
}

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
serveAt(listener.addr.port);
if (isOurs) { for await (const conn of proxied(listener, OPTIONS)) echo(conn); }
else for await (const conn of listener) echoBehindHeader(conn);
