/** Our servers behind a real sender. */

import { assertEquals } from "@std/assert";
import { utf8 } from "../../_bytes.ts";
import { receive, send } from "../../conn/_loopback.ts";
import type { Dialled } from "./_client.ts";

const HELLO = utf8("hello");

/** Whom a server of a runtime sees of a client, whose bytes are repeated. */
export async function seenThroughSender(
  dialling: Promise<Dialled>,
): Promise<string> {
  const { conn, ends: { client } } = await dialling;
  using dialled = conn;
  await send(dialled, HELLO);
  const line = await receiveLine(dialled);
  assertEquals(await receive(dialled, HELLO.length), HELLO);
  const real = "hostname" in client
    ? JSON.stringify({ hostname: client.hostname, port: client.port })
    : "";
  return line === real ? "shows the client" : `shows ${line}`;
}

async function receiveLine(conn: Deno.Conn): Promise<string> {
  for (let line = "";;) {
    const [byte] = await receive(conn, 1);
    if (byte === undefined) return `an end behind ${line}`;
    if (byte === 0x0a) return line;
    line += String.fromCharCode(byte);
  }
}
