/**
 * Shows what an application sees behind a proxy: headers that real servers
 * wrote, sent over loopback into `accept`, then one that is forged and one that
 * is broken.
 *
 * @module
 */

import {
  accept,
  type Address,
  type ProxyInfo,
  ProxyProtocolError,
  tlvName,
} from "../mod.ts";
import { captured } from "./_captures.ts";

interface Scene {
  title: string;
  header: Uint8Array;
  trust: string[];
}

const LOOPBACK = ["127.0.0.1"];

/** The header of a capture with one letter of the client's name changed. */
function tampered(id: string): Uint8Array {
  const header = captured(id).header.slice();
  const name = new TextEncoder().encode("client.example");
  const at = header.findIndex((_, i) =>
    name.every((byte, k) => header[i + k] === byte)
  );
  header[at] = "k".charCodeAt(0);
  return header;
}

const SCENES: Scene[] = [
  {
    title: "hitch passes on a version 1 header",
    header: captured("hitch-proxy-proxy").header,
    trust: LOOPBACK,
  },
  {
    title: "kdig sends version 2 for an IPv6 client",
    header: captured("kdig-tcp-ipv6").header,
    trust: LOOPBACK,
  },
  {
    title: "haproxy has ended TLS, with a client certificate",
    header: captured("haproxy-v2-all").header,
    trust: LOOPBACK,
  },
  {
    title:
      "haproxy checks our health: LOCAL, so the addresses are the real ones",
    header: captured("haproxy-check-v2-options").header,
    trust: LOOPBACK,
  },
  {
    title: "somebody else on the network claims to be 192.0.2.1",
    header: captured("swaks-v1").header,
    trust: ["10.0.0.0/8"],
  },
  {
    title: "a header in which the client's name was changed on the way",
    header: tampered("haproxy-v2-all"),
    trust: LOOPBACK,
  },
];

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const payload = new TextEncoder().encode("HELO there\r\n");

const outcomes = { accepted: 0, rejected: 0 };

console.log("What an application sees behind a PROXY protocol header\n");
for (const [i, scene] of SCENES.entries()) {
  console.log(`${i + 1}. ${scene.title}`);
  line("received", preview(scene.header));
  using client = await Deno.connect({
    hostname: "127.0.0.1",
    port: listener.addr.port,
  });
  await client.write(scene.header);
  await client.write(payload);
  await receive(await listener.accept(), scene.trust);
  console.log();
}
listener.close();
const { accepted, rejected } = outcomes;
console.log(`${accepted} connections accepted, ${rejected} rejected`);

async function receive(tcp: Deno.TcpConn, trust: string[]): Promise<void> {
  try {
    const { info, conn } = await accept(tcp, { trust });
    using _ = conn;
    outcomes.accepted++;
    const buffer = new Uint8Array(64);
    const count = await conn.read(buffer) ?? 0;
    line("hop", text(conn.hopAddr));
    line("client", text(conn.remoteAddr));
    line("destination", text(conn.localAddr));
    if (info) showTlvs(info);
    line("payload", preview(buffer.subarray(0, count)));
  } catch (error) {
    if (!(error instanceof ProxyProtocolError)) throw error;
    outcomes.rejected++;
    line("rejected", `${error.message} [${error.code}]`);
    if (error.hop) line("hop", text(error.hop));
    if (error.offset > 0) line("at byte", `${error.offset}`);
  }
}

function showTlvs(info: ProxyInfo): void {
  for (const [name, value] of Object.entries(info.tlvs)) {
    const offset = info.tlv_loc[name];
    const at = offset === undefined ? "" : `at +${offset}`;
    line(`  ${name}`, `${at.padEnd(8)}${show(name, value)}`);
  }
}

function show(name: string, value: unknown): string {
  if (value instanceof Uint8Array) return preview(value);
  if (name === tlvName(0x03)) {
    return `0x${Number(value).toString(16)}, verified`;
  }
  return String(value);
}

function text(address: Address): string {
  if ("path" in address) return `${address.transport} ${address.path}`;
  const { hostname, port } = address;
  return hostname.includes(":")
    ? `[${hostname}]:${port}`
    : `${hostname}:${port}`;
}

/** Bytes as text where they are text, else as hex, on one line. */
function preview(bytes: Uint8Array): string {
  const string = new TextDecoder().decode(bytes);
  if (/^[\x20-\x7e\r\n]*$/.test(string)) return JSON.stringify(string);
  const hex = bytes.subarray(0, 28).toHex();
  return bytes.length > 28 ? `${hex}... (${bytes.length} bytes)` : hex;
}

function line(name: string, value: string): void {
  console.log(`   ${name.padEnd(14)} ${value}`);
}
