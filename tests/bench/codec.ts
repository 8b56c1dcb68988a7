/** The codec beside the least code that gives the same, and beside the peers. */

import {
  type Address,
  decode,
  encode,
  encodeInto,
  type ProxyHeader,
  type ProxyInfo,
} from "../../codec/mod.ts";
import * as floors from "./floors.ts";
import { type Effort, measure, type Pass } from "./measure.ts";
import type { Peers } from "./peers.ts";

/** Some work and who does it: ours first. */
interface Kind {
  work: string;
  floor?: Pass;
  ours: Pass;
  peers: Record<string, Pass>;
  /** Largest ratio to the floor, and the same on Bun if an object costs more than text there. */
  marks: { floor?: number; bun?: number };
}

/** Times of one kind of work, in ns of one header. */
export interface Samples {
  work: string;
  /** By name, those of ours first; each has one time for each round. */
  times: Record<string, number[]>;
  marks: Kind["marks"];
}

/** Names of ours and of the least code that gives the same. */
export const OURS = "ours";
export const BASELINE = "baseline";

/** Different inputs, so that no branch is learnt by heart. */
const COUNT = 64;

const ENDS: floors.Ends[] = Array.from({ length: COUNT }, (_, i) => ({
  source: `${10 + i}.${(i * 37) % 256}.${i}.${255 - i}`,
  destination: `198.51.${100 + i}.${(i * 11) % 256}`,
  sourcePort: 1024 + i * 997,
  destinationPort: i % 3 === 0 ? 443 : 8000 + i,
}));

/** Addresses as they are used: some with one gap, some with two, some without. */
const ENDS6: floors.Ends[] = ENDS.map((ends, i) => ({
  ...ends,
  source: [
    `2001:db8:${(i + 1).toString(16)}::${(i * 731 + 1).toString(16)}`,
    `2a02:26f0:${i + 10}:3:a1b:c2d:${(i * 977).toString(16)}:1`,
    `fe80::1c2:${(i + 16).toString(16)}ff:fe00:${i + 1}`,
    `2606:4700::${i + 1}:0:0:1`,
  ][i % 4] ?? "",
  destination: i % 2 ? `2001:db8::${i}` : `fd00:1:2:3::${i + 1}:443`,
}));

const VALUES: floors.Values[] = ENDS.map((_, i) => ({
  alpn: i % 2 ? "h2" : "h3",
  authority: `host-${10 + i}.example`,
  uniqueId: Uint8Array.from({ length: 27 }, (_, at) => at * i % 256),
}));

function address(hostname: string, port: number): Address {
  return { transport: "tcp", hostname, port };
}

function headers(version: 1 | 2, ends: readonly floors.Ends[]): ProxyHeader[] {
  return ends.map((end) => ({
    version,
    source: address(end.source, end.sourcePort),
    destination: address(end.destination, end.destinationPort),
  }));
}

/** 5 TLVs, one of them SSL with 3 sub-TLVs: 148 bytes with the addresses. */
const TLV_HEADERS: ProxyHeader[] = headers(2, ENDS).map((header, i) => ({
  ...header,
  tlvs: {
    ALPN: VALUES[i]?.alpn ?? "",
    AUTHORITY: VALUES[i]?.authority ?? "",
    UNIQUE_ID: VALUES[i]?.uniqueId ?? new Uint8Array(),
    CRC32C: 0,
    SSL_CLIENT: 7,
    SSL_VERIFY: 0,
    SSL_VERSION: "TLSv1.3",
    SSL_CN: `client-${10 + i}.example`,
    SSL_CIPHER: "TLS_AES_256_GCM_SHA384",
  },
}));

/** A pass over all inputs, of which each gives a number. */
function over<T>(inputs: readonly T[], work: (input: T) => number): Pass {
  return () => {
    let sum = 0;
    for (const input of inputs) sum += work(input);
    return sum;
  };
}

/** Reads both texts, so that no text is left unmade. */
function readText(source: string, destination: string): number {
  return source.charCodeAt(source.length - 1) +
    destination.charCodeAt(destination.length - 1);
}

function readEnds(ends: floors.Ends | undefined): number {
  if (ends === undefined) return NaN;
  return readText(ends.source, ends.destination) + ends.sourcePort +
    ends.destinationPort;
}

function readInfo(info: ProxyInfo | undefined): number {
  const { source, destination } = info ?? {};
  if (source === undefined || destination === undefined) return NaN;
  if (source.path !== undefined || destination.path !== undefined) return NaN;
  return readText(source.hostname, destination.hostname) + source.port +
    destination.port;
}

function kinds(peers: Peers): Kind[] {
  const { proxyProtocolJs: js, balena, aedes, findhit } = peers;
  const bytesOf = (all: readonly ProxyHeader[]) =>
    all.map((header) => Buffer.from(encode(header)));
  const plain = (all: readonly Uint8Array[]) =>
    all.map((bytes) => Uint8Array.from(bytes));
  const v1 = [headers(1, ENDS), headers(1, ENDS6)].map(bytesOf);
  const v2 = [headers(2, ENDS), headers(2, ENDS6)].map(bytesOf);
  const [v1Tcp4 = [], v1Tcp6 = []] = v1;
  const [v2Tcp4 = [], v2Tcp6 = []] = v2;
  const tlvs = plain(bytesOf(TLV_HEADERS));
  const target = new Uint8Array(256);
  const readBalena = (bytes: Uint8Array) => {
    const { remoteAddress, localAddress, remotePort } = balena.decode(bytes);
    return readText(remoteAddress, localAddress) + remotePort;
  };
  const readAedes = (bytes: Uint8Array) => {
    const { ipAddress = "", serverIpAddress = "" } = aedes.protocolDecoder(
      {},
      bytes,
    );
    return readText(ipAddress, serverIpAddress);
  };
  const readJs = (bytes: Uint8Array) => {
    const line = js.V1BinaryProxyProtocol.parse(bytes);
    return readText(line.source.ipAddress, line.destination.ipAddress) +
      line.source.port;
  };
  const readFindhit = (bytes: Buffer) => {
    const text = bytes.toString("ascii");
    const line = text.substring(0, text.indexOf("\r"));
    const fields = findhit.test(line) ? line.split(" ") : [];
    return readText(fields[2] ?? "", fields[3] ?? "") + Number(fields[4]);
  };
  const details = ENDS.map((end) => ({
    remoteFamily: "IPv4",
    protocol: "tcp",
    remoteAddress: end.source,
    localAddress: end.destination,
    remotePort: end.sourcePort,
    localPort: end.destinationPort,
  }));
  const octets = (text: string) => text.split(".").map(Number);

  const v1Kind = (
    work: string,
    inputs: Buffer[],
    floor: (bytes: Uint8Array) => floors.Ends | undefined,
  ): Kind => {
    const bytes = plain(inputs);
    return {
      work,
      ours: over(bytes, (input) => readInfo(decode(input))),
      floor: over(bytes, (input) => readEnds(floor(input))),
      peers: {
        "proxy-protocol-js": over(bytes, readJs),
        "@balena/proxy-protocol-parser": over(inputs, readBalena),
        "aedes-protocol-decoder": over(inputs, readAedes),
        "findhit-proxywrap": over(inputs, readFindhit),
      },
      marks: { floor: 1.3 },
    };
  };
  const v2Kind = (
    work: string,
    inputs: Buffer[],
    floor: (bytes: Uint8Array) => floors.Ends | undefined,
  ): Kind => {
    const bytes = plain(inputs);
    return {
      work,
      ours: over(bytes, (input) => readInfo(decode(input))),
      floor: over(bytes, (input) => readEnds(floor(input))),
      peers: {
        "@balena/proxy-protocol-parser": over(inputs, readBalena),
        "aedes-protocol-decoder": over(inputs, readAedes),
      },
      marks: { floor: 1.25, bun: 1.5 },
    };
  };
  return [
    v2Kind("decode v2 TCP4", v2Tcp4, floors.v2Tcp4),
    {
      work: "decode v2 TCP4, nothing read",
      ours: over(plain(v2Tcp4), (input) => decode(input)?.version ?? NaN),
      peers: {
        "proxy-protocol-js": over(
          plain(v2Tcp4),
          (input) => js.V2ProxyProtocol.parse(input).proxyAddress.sourcePort,
        ),
        "@balena/proxy-protocol-parser": over(
          v2Tcp4,
          (input) => balena.decode(input).remotePort,
        ),
      },
      marks: {},
    },
    v2Kind("decode v2 TCP6", v2Tcp6, floors.v2Tcp6),
    v1Kind("decode v1 TCP4", v1Tcp4, floors.v1Tcp4),
    v1Kind("decode v1 TCP6", v1Tcp6, floors.v1Tcp6),
    {
      work: "decode v2 TCP4, 5 + 3 TLVs, CRC32C",
      ours: over(tlvs, (input) => {
        const info = decode(input);
        return readInfo(info) + (info?.tlv_loc["SSL_CIPHER"] ?? NaN);
      }),
      floor: over(tlvs, (input) => {
        const found = floors.v2Tlvs(input);
        return readEnds(found?.ends) + (found?.tlvs.at(-1)?.offset ?? NaN);
      }),
      peers: {},
      marks: { floor: 1.4 },
    },
    {
      work: "encodeInto v2 TCP4",
      ours: over(headers(2, ENDS), (header) => encodeInto(header, target)),
      floor: over(ENDS, (ends) => floors.encodeV2Tcp4(ends, target)),
      peers: {
        "@balena/proxy-protocol-parser": over(
          details,
          (input) => balena.v2_encode(input).length,
        ),
        "proxy-protocol-js": over(
          ENDS,
          (ends) =>
            new js.V2ProxyProtocol(
              1,
              1,
              new js.IPv4ProxyAddress(
                js.IPv4Address.createFrom(octets(ends.source)),
                ends.sourcePort,
                js.IPv4Address.createFrom(octets(ends.destination)),
                ends.destinationPort,
              ),
            ).build().length,
        ),
      },
      marks: { floor: 1.8 },
    },
    {
      work: "encode v2 TCP4",
      ours: over(headers(2, ENDS), (header) => encode(header).length),
      floor: over(ENDS, (ends) => {
        const bytes = new Uint8Array(28);
        floors.encodeV2Tcp4(ends, bytes);
        return bytes.length;
      }),
      peers: {
        "@balena/proxy-protocol-parser": over(
          details,
          (input) => balena.v2_encode(input).length,
        ),
      },
      marks: { floor: 1.3 },
    },
    {
      work: "encode v1 TCP4",
      ours: over(headers(1, ENDS), (header) => encode(header).length),
      floor: over(ENDS, (ends) => {
        const length = floors.encodeV1Tcp4(ends, target);
        return target.slice(0, length).length;
      }),
      peers: {
        "@balena/proxy-protocol-parser": over(
          details,
          (input) => balena.v1_encode(input).length,
        ),
      },
      marks: { floor: 1.3 },
    },
    {
      work: "encode v2 TCP4, 4 TLVs, CRC32C",
      ours: over(
        headers(2, ENDS).map((header, i): ProxyHeader => ({
          ...header,
          tlvs: {
            ALPN: VALUES[i]?.alpn ?? "",
            AUTHORITY: VALUES[i]?.authority ?? "",
            UNIQUE_ID: VALUES[i]?.uniqueId ?? new Uint8Array(),
            CRC32C: 0,
          },
        })),
        (header) => encode(header).length,
      ),
      floor: over(
        ENDS.map((ends, i) => ({ ends, values: VALUES[i] })),
        ({ ends, values }) =>
          values ? floors.encodeV2Tlvs(ends, values).length : NaN,
      ),
      peers: {},
      marks: { floor: 1.6 },
    },
  ];
}

/** A floor that gives something else is none. */
function checkAgree({ work, ours, floor }: Kind): void {
  if (floor === undefined || ours() === floor()) return;
  throw new Error(`The floor of ${work} gives something else`);
}

/** Measures every kind. */
export function codecSamples(peers: Peers, effort: Effort): Samples[] {
  const all = kinds(peers);
  for (const kind of all) checkAgree(kind);
  // What a server decodes is not of one kind: everything is compiled for all of them.
  for (const { ours } of all) measure([ours], { rounds: 3, time: 2 });
  return all.map(({ work, ours, floor, peers, marks }) => {
    const passes: Record<string, Pass> = {
      [OURS]: ours,
      ...(floor && { [BASELINE]: floor }),
      ...peers,
    };
    const rounds = measure(Object.values(passes), effort);
    const times = Object.fromEntries(
      Object.keys(passes).map((name, i) => [
        name,
        (rounds[i] ?? []).map((time) => time / COUNT),
      ]),
    );
    return { work, times, marks };
  });
}
