import { newBlock } from "./_block.ts";
import { newHead, readEndpoints } from "./_endpoints.ts";
import { startText } from "./_hint.ts";
import { formatIpv6 } from "./_ip_text.ts";
import { plainView } from "./_plain_view.ts";
import { FIXED_LENGTH, LONGEST_ADDRESSED } from "./_wire.ts";
import { ProxyProtocolError } from "./error.ts";
import type { Address } from "./types.ts";

/** What begins a Simple Proxy header. */
const MAGIC = 0x56ec;

/** Where the fields are, in bytes: behind the magic number as in INET6 of v2. */
const CLIENT_AT = 2;
const PROXY_AT = 18;
const CLIENT_PORT_AT = 34;
const PROXY_PORT_AT = 36;
const HEADER_LENGTH = 38;

/** One end of a datagram that {@link decodeSimpleDatagram} read. */
export interface SimpleAddress {
  /** Always UDP. */
  transport: "udp";
  /**
   * IPv6 address as RFC 5952 text, or the IPv4 address that a mapped address
   * holds.
   */
  hostname: string;
  /** Port, 0 to 65535. */
  port: number;
}

/** Result of {@link decodeSimpleDatagram}. */
export interface DecodedSimpleDatagram {
  /** The client. */
  source: SimpleAddress;
  /** Where the proxy received the datagram. */
  destination: SimpleAddress;
  /** Bytes after the header, as a view of the datagram, not a copy. */
  payload: Uint8Array;
}

/**
 * The header for {@link encodeSimpleDatagram}; a {@link DecodedSimpleDatagram}
 * is accepted.
 */
export interface SimpleDatagramHeader {
  /** The client; its transport is `udp`. */
  source: Address;
  /** Where the proxy received the datagram; its transport is `udp`. */
  destination: Address;
}

/**
 * Decodes a datagram with the header of Cloudflare's [Simple Proxy
 * Protocol](https://developers.cloudflare.com/spectrum/reference/simple-proxy-protocol-header/).
 * Spectrum sends it for UDP instead of the PROXY protocol: 38 bytes before the
 * payload of every datagram. The header cannot be verified, so check the
 * address that sent the datagram.
 *
 * @throws {ProxyProtocolError} code `signature` if the datagram does not begin
 * with 0x56EC, `incomplete` if it ends inside the header, `empty` if it has no
 * bytes.
 *
 * @example
 * ```ts
 * import {
 *   decodeSimpleDatagram,
 *   encodeSimpleDatagram,
 * } from "@edgewire/proxy-protocol/codec";
 *
 * const datagram = encodeSimpleDatagram({
 *   source: { transport: "udp", hostname: "192.0.2.1", port: 5000 },
 *   destination: { transport: "udp", hostname: "198.51.100.1", port: 53 },
 * }, Uint8Array.of(1, 2, 3));
 * const { source, payload } = decodeSimpleDatagram(datagram);
 * console.log(source); // { transport: "udp", hostname: "192.0.2.1", port: 5000 }
 * console.log(payload); // Uint8Array(3) [ 1, 2, 3 ]
 * ```
 */
export function decodeSimpleDatagram(bytes: Uint8Array): DecodedSimpleDatagram {
  const plain = plainView(bytes);
  const { length } = plain;
  const wrongAt = [MAGIC >> 8, MAGIC & 0xff].findIndex((byte, i) =>
    i < length && plain[i] !== byte
  );
  if (wrongAt >= 0) {
    throw new ProxyProtocolError(
      `No Simple Proxy header: received ${
        startText(plain)
      }, expected 0x56ec at byte 0`,
      "signature",
      { offset: wrongAt, received: plain },
    );
  }
  if (length < HEADER_LENGTH) {
    throw new ProxyProtocolError(
      `Cannot decode Simple Proxy header: expected ${HEADER_LENGTH} bytes, received ${length}`,
      length === 0 ? "empty" : "incomplete",
      { offset: length, received: plain },
    );
  }
  const header = newBlock(HEADER_LENGTH);
  header.bytes.set(plain.subarray(0, HEADER_LENGTH));
  const end = (at: number, portAt: number): SimpleAddress => ({
    transport: "udp",
    hostname: formatIpv6(header, at, true),
    port: header.view.getUint16(portAt),
  });
  return {
    source: end(CLIENT_AT, CLIENT_PORT_AT),
    destination: end(PROXY_AT, PROXY_PORT_AT),
    payload: bytes.subarray(HEADER_LENGTH),
  };
}

/**
 * Puts a header of the Simple Proxy Protocol in front of a payload, as one
 * datagram; IPv4 addresses are written as mapped IPv6. Spectrum expects the
 * received header, unchanged, on every answer: pass what
 * {@link decodeSimpleDatagram} returned.
 *
 * @throws {TypeError} if an address is missing, is not an IP address, or has a
 * transport other than `udp`.
 * @throws {RangeError} for a port out of range.
 *
 * @example
 * ```ts
 * import {
 *   decodeSimpleDatagram,
 *   encodeSimpleDatagram,
 * } from "@edgewire/proxy-protocol/codec";
 *
 * const datagram = encodeSimpleDatagram({
 *   source: { transport: "udp", hostname: "2001:db8::1", port: 5000 },
 *   destination: { transport: "udp", hostname: "2001:db8::2", port: 53 },
 * }, Uint8Array.of(1, 2, 3));
 * console.log(datagram.byteLength); // 41
 *
 * // The answer has the header that was received.
 * const received = decodeSimpleDatagram(datagram);
 * const answer = encodeSimpleDatagram(received, Uint8Array.of(4));
 * console.log(answer.byteLength); // 39
 * ```
 */
export function encodeSimpleDatagram(
  { source, destination }: SimpleDatagramHeader,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const head = newHead(LONGEST_ADDRESSED);
  const end = readEndpoints({
    command: "PROXY",
    family: "INET6",
    transport: "DGRAM",
    source,
    destination,
  }, head);
  const { bytes: datagram, view } = newBlock(HEADER_LENGTH + payload.length);
  view.setUint16(0, MAGIC);
  datagram.set(head.bytes.subarray(FIXED_LENGTH, end), CLIENT_AT);
  datagram.set(payload, HEADER_LENGTH);
  return datagram;
}
