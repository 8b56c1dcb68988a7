import {
  decode,
  type ProxyInfo,
  type ProxyProtocolErrorCode,
} from "../../codec/mod.ts";

/** A header for tests, as bytes. */
export interface SampleHeader {
  /** Who sends it, and how it was obtained. */
  readonly origin: string;
  /** The header. Each read returns a copy. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A header of a real sender. */
export interface SenderHeader extends SampleHeader {
  /** What the header says, decoded with default options. Each read returns a copy. */
  readonly info: ProxyInfo;
}

/** Bytes that a server rejects with default options. */
export interface RejectedHeader extends SampleHeader {
  /** Code of the error that the server reports. */
  readonly code: ProxyProtocolErrorCode;
}

/** Headers of real senders by name. */
export interface Senders {
  /** v1 over IPv4, client 192.0.2.1: haproxy with `send-proxy`. */
  readonly haproxyV1: SenderHeader;
  /** v1 over IPv6, client 2001:db8::1: haproxy with `send-proxy`. */
  readonly haproxyV1Ipv6: SenderHeader;
  /** v1 `UNKNOWN`: haproxy whose client is on a UNIX socket. */
  readonly haproxyV1Unknown: SenderHeader;
  /** v2 over IPv4, client 192.0.2.1, with CRC32C, AUTHORITY and UNIQUE_ID: haproxy. */
  readonly haproxyV2: SenderHeader;
  /** v2 over IPv6, client 2001:db8::5, with a mapped destination: haproxy. */
  readonly haproxyV2Ipv6: SenderHeader;
  /** v2 with all TLVs of TLS and a client certificate: haproxy. */
  readonly haproxyV2Tls: SenderHeader;
  /** v2 LOCAL, no client: a health check of haproxy. */
  readonly haproxyHealthCheck: SenderHeader;
  /** v1 over IPv4, client 192.0.2.1: nginx behind another proxy. */
  readonly nginxV1: SenderHeader;
  /** v1 with mapped addresses: nginx on a dual-stack listener. See `unmap`. */
  readonly nginxV1Mapped: SenderHeader;
  /** v2 over IPv4, client 192.0.2.1: Apache Traffic Server. */
  readonly trafficServerV2: SenderHeader;
  /** v2 over IPv6, client 2001:db8::1: Apache Traffic Server. */
  readonly trafficServerV2Ipv6: SenderHeader;
  /** v2 over IPv4: Varnish. */
  readonly varnishV2: SenderHeader;
  /** v2 with ALPN, AUTHORITY and SSL: Hitch. */
  readonly hitchV2: SenderHeader;
  /** v2 over IPv4, client 192.0.2.1, with a custom TLV 0xE0: the Go library go-proxyproto. */
  readonly goProxyprotoV2: SenderHeader;
  /** v2 of a client on the UNIX socket /run/a.sock: the Go library go-proxyproto. */
  readonly goProxyprotoV2Unix: SenderHeader;
  /** v2 with the id of a VPC endpoint, CRC32C and NOOP: an AWS Network Load Balancer. */
  readonly awsNlb: SenderHeader;
  /** v2 with the LinkID of a private endpoint: Azure Private Link. */
  readonly azurePrivateLink: SenderHeader;
  /** v2 with a PSC connection id: Google Private Service Connect. */
  readonly googlePsc: SenderHeader;
  /** v1 over IPv4, client 192.0.2.0: Cloudflare Spectrum. */
  readonly cloudflareSpectrum: SenderHeader;
}

/** Bytes that a server must reject, by name. */
export interface Rejected {
  /** No header at all: an HTTP request. */
  readonly httpRequest: RejectedHeader;
  /** A v2 header whose CRC32C does not match. See `checksum`. */
  readonly wrongChecksum: RejectedHeader;
  /** An IPv4 address in a `TCP6` line, as nginx sends it. See `mixedTcp6`. */
  readonly nginxMixedFamilies: RejectedHeader;
}

class Sample implements SenderHeader {
  readonly origin: string;
  readonly #bytes: Uint8Array;

  constructor(origin: string, bytes: Uint8Array) {
    this.origin = origin;
    this.#bytes = bytes;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }

  get info(): ProxyInfo {
    const info = decode(this.bytes); // whose arrays are parts of these bytes
    if (info === undefined) throw new Error(`Incomplete: ${this.origin}`);
    return info;
  }
}

class RejectedSample implements RejectedHeader {
  readonly origin: string;
  readonly code: ProxyProtocolErrorCode;
  readonly #bytes: Uint8Array;

  constructor(
    origin: string,
    code: ProxyProtocolErrorCode,
    bytes: Uint8Array,
  ) {
    this.origin = origin;
    this.code = code;
    this.#bytes = bytes;
  }

  get bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}

/** A header of v1. */
function line(text: string): Uint8Array {
  return new TextEncoder().encode(`PROXY ${text}\r\n`);
}

/** A header of v2: hex after the signature. */
function v2(...parts: readonly string[]): Uint8Array {
  const hex = `0d0a0d0a000d0a515549540a${parts.join("")}`;
  // Not `Uint8Array.fromHex`, which Node 24 does not have.
  return Uint8Array.from(
    { length: hex.length / 2 },
    (_, i) => parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}

/** A UNIX path of 108 bytes, in hex. */
function path(hex: string): string {
  return hex.padEnd(216, "0");
}

/** 192.0.2.1:1111 to 198.51.100.1:2222. */
const ENDS = "c0000201c6336401045708ae";

/**
 * Headers of real senders by name, to send with {@link connectThrough}. Most are
 * captures. Those of providers are built from the provider's documentation, as
 * `origin` says.
 *
 * @example
 * ```ts
 * import { SENDERS } from "@edgewire/proxy-protocol/testing";
 *
 * const { origin, bytes, info } = SENDERS.haproxyV2;
 * console.log(origin); // haproxy 2.6.12, captured
 * console.log(bytes.length, info.tlvs.AUTHORITY); // 59 auth.example
 * ```
 */
export const SENDERS: Readonly<Senders> = {
  haproxyV1: new Sample(
    "haproxy 2.6.12, captured",
    line("TCP4 192.0.2.1 198.51.100.1 1111 2222"),
  ),
  haproxyV1Ipv6: new Sample(
    "haproxy 2.6.12, captured",
    line("TCP6 2001:db8::1 2001:db8::2 1111 2222"),
  ),
  haproxyV1Unknown: new Sample("haproxy 2.6.12, captured", line("UNKNOWN")),
  haproxyV2: new Sample(
    "haproxy 2.6.12, captured",
    v2(
      ...["2111002b", ENDS, "030004db8f0585"],
      ...["02000c617574682e6578616d706c65", "0500066d792d756964"],
    ),
  ),
  haproxyV2Ipv6: new Sample(
    "haproxy 2.6.12, captured",
    v2(
      ...["21210024", "20010db8000000000000000000000005"],
      ...["00000000000000000000ffff7f000001", "9c4e5215"],
    ),
  ),
  haproxyV2Tls: new Sample(
    "haproxy 2.6.12, captured",
    v2(
      ...["21110092", "7f0000017f0000019c45520d", "0300043962088a"],
      ...["0100026832", "02000b736e692e6578616d706c65"],
      "0500167569642d3132372e302e302e312d34303030352d2d2d",
      ...["2000500700000000", "210007544c5376312e33"],
      "22000e636c69656e742e6578616d706c65",
      ...["25000752534132303438", "24000a5253412d534841323536"],
      "230016544c535f4145535f3235365f47434d5f534841333834",
    ),
  ),
  haproxyHealthCheck: new Sample("haproxy 2.6.12, captured", v2("20000000")),
  nginxV1: new Sample(
    "nginx 1.22.1, captured",
    line("TCP4 192.0.2.1 127.0.0.1 1111 21105"),
  ),
  nginxV1Mapped: new Sample(
    "nginx 1.22.1, captured",
    line("TCP6 ::ffff:127.0.0.1 ::ffff:127.0.0.1 41003 21103"),
  ),
  trafficServerV2: new Sample(
    "Apache Traffic Server 9.2.9, captured",
    v2("2111000c", ENDS),
  ),
  trafficServerV2Ipv6: new Sample(
    "Apache Traffic Server 9.2.9, captured",
    v2(
      ...["21210024", "20010db8000000000000000000000001"],
      ...["20010db8000000000000000000000002", "045708ae"],
    ),
  ),
  varnishV2: new Sample(
    "Varnish 7.1.1, captured",
    v2("2111000c", "7f0000017f00000161d15399"),
  ),
  hitchV2: new Sample(
    "Hitch 1.7.2, captured",
    v2(
      ...["2111004d", "7f0000017f00000161b35341", "0100026832"],
      ...["02000e7365727665722e6578616d706c65", "2000280100000001"],
      "210007544c5376312e33",
      "230016544c535f4145535f3235365f47434d5f534841333834",
    ),
  ),
  goProxyprotoV2: new Sample(
    "go-proxyproto 0.4.2, captured",
    v2(
      ...["21110024", ENDS],
      ...["02000c617574682e6578616d706c65", "e00006637573746f6d"],
    ),
  ),
  goProxyprotoV2Unix: new Sample(
    "go-proxyproto 0.4.2, captured",
    v2(
      "213100d8",
      path("2f72756e2f612e736f636b"),
      path("2f72756e2f622e736f636b"),
    ),
  ),
  awsNlb: new Sample(
    "AWS documentation of VPC endpoint services",
    v2(
      ...["21110054", "ac1f0771ac1f0a1fc8f20050", "030004e8d6892d"],
      "ea001701767063652d3038643262663135666163353030316339",
      `040024${"00".repeat(36)}`,
    ),
  ),
  azurePrivateLink: new Sample(
    "addresses for documentation, and the TLV of the Azure documentation",
    v2("21110014", ENDS, "ee00050178563412"),
  ),
  googlePsc: new Sample(
    "addresses for documentation, and the TLV of the Google Cloud documentation",
    v2("21110017", ENDS, "e000080102030405060708"),
  ),
  cloudflareSpectrum: new Sample(
    "Cloudflare documentation of Spectrum",
    line("TCP4 192.0.2.0 192.0.2.255 42300 443"),
  ),
};

/**
 * Bytes that a server must reject, by name, with the code of its error.
 *
 * @example
 * ```ts
 * import { decode } from "@edgewire/proxy-protocol";
 * import { REJECTED } from "@edgewire/proxy-protocol/testing";
 *
 * const { bytes, code } = REJECTED.wrongChecksum;
 * console.log(code); // checksum
 * try {
 *   decode(bytes);
 * } catch (error) {
 *   console.log(error instanceof Error && error.name); // ProxyProtocolError
 * }
 * ```
 */
export const REJECTED: Readonly<Rejected> = {
  httpRequest: new RejectedSample(
    "a client that does not come through a proxy",
    "signature",
    new TextEncoder().encode("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"),
  ),
  wrongChecksum: new RejectedSample(
    "haproxyV2 with one bit of its CRC32C changed",
    "checksum",
    v2(
      ...["2111002b", ENDS, "030004db8f0584"],
      ...["02000c617574682e6578616d706c65", "0500066d792d756964"],
    ),
  ),
  nginxMixedFamilies: new RejectedSample(
    "nginx 1.22.1, captured",
    "address",
    line("TCP6 2001:db8::1 127.0.0.1 1111 21105"),
  ),
};
