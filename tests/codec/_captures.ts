/**
 * Headers as real senders wrote them, with what the decoder that captured them
 * read.
 *
 * @module
 */

import type { Address, Tlvs } from "../../codec/mod.ts";
import captures from "../data/captures.json" with { type: "json" };
import { type Facts, net, unix, type Vector } from "./_facts.ts";
import { ascii, hex } from "./_hex.ts";

/** An entry of the file, as far as it is used here. */
interface Capture {
  id: string;
  sender: string;
  hex: string;
  payloadHex?: string | undefined;
  decoded: {
    version: number;
    protocol?: string | undefined;
    command?: string | undefined;
    family?: string | undefined;
    transport?: string | undefined;
    src?: string | undefined;
    dst?: string | undefined;
    sport?: number | undefined;
    dport?: number | undefined;
    /** Type and hex of the value. */
    tlvs?: (string | number)[][] | undefined;
    /** Type and text of each sub-TLV. */
    ssl?:
      | { client: number; verify: number; sub: (string | number)[][] }
      | undefined;
  };
}

/** Entries that break the specification: a plain IPv4 address in a TCP6 line. */
const MIXED: ReadonlySet<string> = new Set([
  "nginx-chain-realip-mixed",
  "h2o-chain-v1-mixed",
  "go-proxyproto-v1-mixed",
]);

const ALL: readonly Capture[] = captures;

/** The mixed lines among them, which take a switch. */
export const MIXED_LINES: readonly Vector[] = ALL
  .filter(({ id }) => MIXED.has(id)).map(toVector);

/** All of them. */
export const CAPTURES: readonly Vector[] = ALL.map(toVector);

function toVector(capture: Capture): Vector {
  const expected = toFacts(capture);
  const { payloadHex } = capture;
  return {
    name: `the capture ${capture.id}`,
    source: `tests/data/captures.json, ${capture.sender}`,
    bytes: hex(capture.hex),
    expected,
    ...(payloadHex === undefined ? {} : { payload: hex(payloadHex) }),
    ...(MIXED.has(capture.id)
      ? { options: { mixedTcp6: true }, canonical: unmixed(capture) }
      : {}),
  };
}

/** The line with its one IPv4 address, the destination, mapped. */
function unmixed({ decoded }: Capture): Uint8Array {
  const { src, dst, sport, dport } = decoded;
  return ascii(`PROXY TCP6 ${src} ::ffff:${dst} ${sport} ${dport}\r\n`);
}

function toFacts({ decoded }: Capture): Facts {
  const family = familyOf(decoded);
  const transport = family === "UNSPEC"
    ? "UNSPEC"
    : decoded.transport === "DGRAM"
    ? "DGRAM"
    : "STREAM";
  const facts: Facts = {
    version: decoded.version === 1 ? 1 : 2,
    command: decoded.command === "LOCAL" ? "LOCAL" : "PROXY",
    family,
    transport,
    tlvs: toTlvs(decoded),
  };
  const { src, dst, sport = NaN, dport = NaN } = decoded;
  if (src !== undefined && dst !== undefined) {
    const address = (host: string, port: number): Address =>
      family === "UNIX"
        ? unix(host)
        : net(host, port, transport === "DGRAM" ? "udp" : "tcp");
    facts.source = address(src, sport);
    facts.destination = address(dst, dport);
  }
  const blocks = { UNSPEC: 0, INET: 12, INET6: 36, UNIX: 216 };
  if (decoded.version === 2) facts.tlv_start = 16 + blocks[family];
  return facts;
}

function familyOf({ family, protocol }: Capture["decoded"]): Facts["family"] {
  if (family === "INET" || protocol === "TCP4") return "INET";
  if (family === "INET6" || protocol === "TCP6") return "INET6";
  return family === "UNIX" ? "UNIX" : "UNSPEC";
}

/** Types that real senders sent, with the form of their values in `Tlvs`. */
function toTlvs({ tlvs = [], ssl }: Capture["decoded"]): Tlvs {
  const expected: Tlvs = {};
  for (const [type, digits] of tlvs) {
    const value = hex(String(digits));
    const text = new TextDecoder().decode(value);
    if (type === 0x01) expected.ALPN = text;
    else if (type === 0x02) expected.AUTHORITY = text;
    else if (type === 0x03) expected.CRC32C = parseInt(String(digits), 16);
    else if (type === 0x05) expected.UNIQUE_ID = value;
    else if (type === 0x30) expected.NETNS = text;
    else if (type !== 0x20) {
      const name = `x${Number(type).toString(16).toUpperCase()}`;
      Reflect.set(expected, name, value);
    }
  }
  if (ssl === undefined) return expected;
  expected.SSL = true;
  expected.SSL_CLIENT = ssl.client;
  expected.SSL_VERIFY = ssl.verify;
  for (const [type, value] of ssl.sub) {
    const text = String(value);
    if (type === 0x21) expected.SSL_VERSION = text;
    else if (type === 0x22) expected.SSL_CN = text;
    else if (type === 0x23) expected.SSL_CIPHER = text;
    else if (type === 0x24) expected.SSL_SIG_ALG = text;
    else if (type === 0x25) expected.SSL_KEY_ALG = text;
    else throw new Error(`No name for the sub-TLV ${type}`);
  }
  return expected;
}
