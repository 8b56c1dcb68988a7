/**
 * Clients of real senders, and programs that are clients themselves.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import type { AcceptOptions } from "../../../mod.ts";
import { utf8 } from "../../_bytes.ts";
import { CERT, KEY, receive, receiveAll, send } from "../../conn/_loopback.ts";
import { findProgram } from "./_system.ts";
import { describe, ECHO, endsOf, HTTP, type Upstream } from "./_upstream.ts";

/** A client that has dialled, and the TCP connection below it. */
export interface Dialled {
  conn: Deno.Conn;
  ends: ReturnType<typeof endsOf>;
}

/** Dials in the clear. */
export async function dial(
  port: number,
  hostname = "127.0.0.1",
): Promise<Dialled> {
  const conn = await Deno.connect({ hostname, port });
  return { conn, ends: endsOf(conn) };
}

/** Dials a UNIX socket. */
export async function dialUnix(path: string): Promise<Dialled> {
  const conn = await Deno.connect({ transport: "unix", path });
  return { conn, ends: endsOf(conn) };
}

/** Dials over TLS, behind a header if there is one; names `sni.example` and `h2`. */
export async function dialTls(
  port: number,
  hostname = "127.0.0.1",
  header?: Uint8Array,
): Promise<Dialled> {
  const tcp = await Deno.connect({ hostname, port });
  const ends = endsOf(tcp);
  if (header) await send(tcp, header);
  // Deno.connectTls would look the name up to send it.
  const conn = await Deno.startTls(tcp, {
    hostname: "sni.example",
    caCerts: [CERT],
    alpnProtocols: ["h2"],
  });
  return { conn, ends };
}

/** Dials over TLS with a certificate of its own, and names nobody. */
export async function dialTlsWithCertificate(port: number): Promise<Dialled> {
  const conn = await Deno.connectTls({
    hostname: "127.0.0.1",
    port,
    caCerts: [CERT],
    cert: CERT,
    key: KEY,
  });
  return { conn, ends: endsOf(conn) };
}

const HELLO = utf8("hello");

/** What becomes of a client's connection, whose bytes go there and back. */
export async function throughSender(
  upstream: Upstream,
  dialling: Promise<Dialled>,
  options?: Partial<AcceptOptions>,
): Promise<string> {
  const { conn, ends } = await dialling;
  using client = conn;
  await send(client, HELLO);
  const accepted = await upstream.next(ECHO, options);
  assertEquals(await receive(client, HELLO.length), HELLO);
  return describe(accepted, ends);
}

/** What becomes of a request of HTTP. */
export async function throughHttpSender(
  upstream: Upstream,
  dialling: Promise<Dialled>,
  path = "/",
  options?: Partial<AcceptOptions>,
): Promise<string> {
  const { conn, ends } = await dialling;
  using client = conn;
  await send(
    client,
    utf8(
      `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    ),
  );
  const accepted = await upstream.next(HTTP, options);
  const answer = new TextDecoder().decode(await receiveAll(client));
  assertEquals(answer.split(" ")[1], "200");
  return describe(accepted, ends);
}

/** Runs a client to its end; what it printed. */
export async function runClient(
  program: string,
  args: readonly string[],
): Promise<string> {
  const path = program.includes("/") ? program : findProgram(program);
  if (path === undefined) throw new Error(`${program} is not installed`);
  const { stdout, stderr } = await new Deno.Command(path, {
    args: [...args],
    stdin: "null",
  }).output();
  return new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
}
