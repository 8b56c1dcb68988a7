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

/** Inputs of one pass, all different, so that no branch is learnt by heart. */
const COUNT = 64;

/** Headers that a decoder receives in turn: more addresses than it could remember. */
const MANY = 64 * COUNT;

/** An address of IPv4 for each number below 2 ** 32, no two of them alike. */
function ipv4(i: number): string {
  const bits = Math.imul(i + 1, 0x2c1b3c6d);
  return [24, 16, 8, 0].map((shift) => bits >>> shift & 0xff).join(".");
}

/** The same of IPv6, as they are used: some with one gap, some with two, some without. */
function ipv6(i: number): string {
  const hex = (number: number) => number.toString(16);
  return [
    `2001:db8:${hex(i + 1)}::${hex(i * 731 % 65535 + 1)}`,
    `2a02:26f0:${hex(i + 10)}:3:a1b:c2d:${hex(i * 977 % 65535 + 1)}:1`,
    `fe80::1c2:${hex(i + 16)}:fe00:${hex(i % 256 + 1)}`,
    `2606:4700::${hex(i + 1)}:0:0:1`,
  ][i % 4] ?? "";
}

/** Some ends of connections, by the numbers of their addresses. */
function endsOf(
  count: number,
  address: (i: number) => string,
  source: (i: number) => number,
  destination: (i: number) => number,
): floors.Ends[] {
  return Array.from({ length: count }, (_, i) => ({
    source: address(source(i)),
    destination: address(destination(i)),
    sourcePort: 1024 + i * 997 % 64000,
    destinationPort: i % 3 === 0 ? 443 : 8000 + i,
  }));
}

/** All addresses are new: a decoder that remembers some has nothing of it. */
const newEnds = (address: (i: number) => string) =>
  endsOf(MANY, address, (i) => i, (i) => MANY + i);

/**
 * What a server receives: the destination is the balancer's own address, and of
 * the clients every second one comes back, one of {@link COUNT}.
 */
const usualEnds = (address: (i: number) => string) =>
  endsOf(MANY, address, (i) => i % 2 ? i : i % COUNT, () => MANY);

const VALUES: floors.Values[] = Array.from({ length: COUNT }, (_, i) => ({
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

/** 5 TLVs, one of them SSL with 3 sub-TLVs: about 150 bytes with the addresses, and two names as new as these. */
function tlvHeaders(ends: readonly floors.Ends[]): ProxyHeader[] {
  return headers(2, ends).map((header, i) => ({
    ...header,
    tlvs: {
      ALPN: VALUES[i % COUNT]?.alpn ?? "",
      AUTHORITY: `host-${ends[i]?.destination}`,
      UNIQUE_ID: VALUES[i % COUNT]?.uniqueId ?? new Uint8Array(),
      CRC32C: 0,
      SSL_CLIENT: 7,
      SSL_VERIFY: 0,
      SSL_VERSION: "TLSv1.3",
      SSL_CN: `client-${ends[i]?.source}`,
      SSL_CIPHER: "TLS_AES_256_GCM_SHA384",
    },
  }));
}

/** Passes over so many inputs each, in turn, of which each gives a number. */
function over<T>(inputs: readonly T[], work: (input: T) => number): Pass {
  const passes = Array.from(
    { length: inputs.length / COUNT },
    (_, i) => inputs.slice(i * COUNT, (i + 1) * COUNT),
  );
  let pass = 0;
  return () => {
    const some = passes[pass] ?? [];
    pass = (pass + 1) % passes.length;
    let sum = 0;
    for (const input of some) sum += work(input);
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
  const decodeKinds = (
    suffix: string,
    ends: floors.Ends[],
    ends6: floors.Ends[],
  ): Kind[] => {
    const [v2Tcp4 = [], v2Tcp6 = [], v1Tcp4 = [], v1Tcp6 = []] = [
      headers(2, ends),
      headers(2, ends6),
      headers(1, ends),
      headers(1, ends6),
    ].map(bytesOf);
    const tlvs = plain(bytesOf(tlvHeaders(ends)));
    return [
      v2Kind(`decode v2 TCP4${suffix}`, v2Tcp4, floors.v2Tcp4),
      {
        work: `decode v2 TCP4${suffix}, nothing read`,
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
      v2Kind(`decode v2 TCP6${suffix}`, v2Tcp6, floors.v2Tcp6),
      v1Kind(`decode v1 TCP4${suffix}`, v1Tcp4, floors.v1Tcp4),
      v1Kind(`decode v1 TCP6${suffix}`, v1Tcp6, floors.v1Tcp6),
      {
        work: `decode v2 TCP4, 5 + 3 TLVs, CRC32C${suffix}`,
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
    ];
  };
  const encodeKinds = (suffix: string, ends: floors.Ends[]): Kind[] => {
    const details = ends.map((end) => ({
      remoteFamily: "IPv4",
      protocol: "tcp",
      remoteAddress: end.source,
      localAddress: end.destination,
      remotePort: end.sourcePort,
      localPort: end.destinationPort,
    }));
    return [
      {
        work: `encodeInto v2 TCP4${suffix}`,
        ours: over(headers(2, ends), (header) => encodeInto(header, target)),
        floor: over(ends, (end) => floors.encodeV2Tcp4(end, target)),
        peers: {
          "@balena/proxy-protocol-parser": over(
            details,
            (input) => balena.v2_encode(input).length,
          ),
          "proxy-protocol-js": over(
            ends,
            (end) =>
              new js.V2ProxyProtocol(
                1,
                1,
                new js.IPv4ProxyAddress(
                  js.IPv4Address.createFrom(octets(end.source)),
                  end.sourcePort,
                  js.IPv4Address.createFrom(octets(end.destination)),
                  end.destinationPort,
                ),
              ).build().length,
          ),
        },
        marks: { floor: 1.8 },
      },
      {
        work: `encode v2 TCP4${suffix}`,
        ours: over(headers(2, ends), (header) => encode(header).length),
        floor: over(ends, (end) => {
          const bytes = new Uint8Array(28);
          floors.encodeV2Tcp4(end, bytes);
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
        work: `encode v1 TCP4${suffix}`,
        ours: over(headers(1, ends), (header) => encode(header).length),
        floor: over(ends, (end) => {
          const length = floors.encodeV1Tcp4(end, target);
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
        work: `encode v2 TCP4, 4 TLVs, CRC32C${suffix}`,
        ours: over(
          headers(2, ends).map((header, i): ProxyHeader => ({
            ...header,
            tlvs: {
              ALPN: VALUES[i % COUNT]?.alpn ?? "",
              AUTHORITY: VALUES[i % COUNT]?.authority ?? "",
              UNIQUE_ID: VALUES[i % COUNT]?.uniqueId ?? new Uint8Array(),
              CRC32C: 0,
            },
          })),
          (header) => encode(header).length,
        ),
        floor: over(
          ends.map((end, i) => ({ end, values: VALUES[i % COUNT] })),
          ({ end, values }) =>
            values ? floors.encodeV2Tlvs(end, values).length : NaN,
        ),
        peers: {},
        marks: { floor: 1.6 },
      },
    ];
  };
  return [
    ...decodeKinds("", usualEnds(ipv4), usualEnds(ipv6)),
    ...decodeKinds(", new addresses", newEnds(ipv4), newEnds(ipv6)),
    ...encodeKinds("", usualEnds(ipv4)),
    ...encodeKinds(", new addresses", newEnds(ipv4)),
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
