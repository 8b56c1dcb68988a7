/** Other libraries of npm, installed beside nothing of ours. */

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NPM_INSTALL } from "../_npm.ts";
import { BENCH_PEERS } from "../_versions.ts";

/** Two addresses as text, and ports; arrays of octets where a library gives no text. */
interface Decoded {
  ipAddress?: string;
  serverIpAddress?: string;
}

/** What is used of proxy-protocol-js. */
interface ProxyProtocolJs {
  V1BinaryProxyProtocol: {
    parse(bytes: Uint8Array): {
      source: { ipAddress: string; port: number };
      destination: { ipAddress: string; port: number };
    };
  };
  V1ProxyProtocol: new (
    protocol: string,
    source: unknown,
    destination: unknown,
  ) => { build(): string };
  Peer: new (ipAddress: string, port: number) => unknown;
  V2ProxyProtocol: {
    parse(bytes: Uint8Array): { proxyAddress: { sourcePort: number } };
    new (command: number, transport: number, address: unknown): {
      build(): Uint8Array;
    };
  };
  IPv4ProxyAddress: new (
    source: unknown,
    sourcePort: number,
    destination: unknown,
    destinationPort: number,
  ) => unknown;
  IPv4Address: { createFrom(octets: number[]): unknown };
}

/** What is used of @balena/proxy-protocol-parser. */
interface Balena {
  decode(bytes: Uint8Array): {
    remoteAddress: string;
    localAddress: string;
    remotePort: number;
  };
  v1_encode(details: object): Uint8Array;
  v2_encode(details: object): Uint8Array;
}

/** What is used of aedes-protocol-decoder. */
interface Aedes {
  protocolDecoder(connection: object, bytes: Uint8Array): Decoded;
}

/** The peers of the bench. */
export interface Peers {
  proxyProtocolJs: ProxyProtocolJs;
  balena: Balena;
  aedes: Aedes;
  /** The expression by which findhit-proxywrap reads a line. */
  findhit: RegExp;
}

/** Installs the peers once, apart from the project, and loads them on any runtime. */
export function loadPeers(): Peers {
  const folder = join(tmpdir(), "proxy-protocol-bench-peers");
  if (!existsSync(join(folder, "node_modules", "aedes-protocol-decoder"))) {
    const [npm, ...options] = NPM_INSTALL;
    const { status } = spawnSync(
      npm,
      [...options, "--silent", "--prefix", folder, ...BENCH_PEERS],
      { stdio: "inherit" },
    );
    if (status !== 0) throw new Error("Cannot install the peers of the bench");
  }
  const require = createRequire(join(folder, "package.json"));
  return {
    proxyProtocolJs: require("proxy-protocol-js"),
    balena: require("@balena/proxy-protocol-parser"),
    aedes: require("aedes-protocol-decoder"),
    findhit: require("findhit-proxywrap/lib/proxy-protocol.regexp.js"),
  };
}
