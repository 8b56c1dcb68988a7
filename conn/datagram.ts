import {
  decode,
  type DecodeOptions,
  encode,
  type EncodeOptions,
  type ProxyHeader,
  type ProxyInfo,
  ProxyProtocolError,
} from "../codec/mod.ts";

/** Result of {@link decodeDatagram}. */
export interface DecodedDatagram {
  /** The header. */
  info: ProxyInfo;
  /** Bytes after the header, as a view of the datagram, not a copy. */
  payload: Uint8Array;
}

/**
 * Separates the header of a datagram from its payload. Each datagram has its
 * own complete header before its payload (section 2, "For UDP").
 *
 * @throws {ProxyProtocolError} if there is no valid header. Code `incomplete`
 * means that the datagram ends inside the header, `empty` that the datagram has
 * no bytes.
 *
 * @example
 * ```ts
 * import { decodeDatagram, encodeDatagram } from "@edgewire/proxy-protocol";
 *
 * const datagram = encodeDatagram({
 *   source: { transport: "udp", hostname: "192.0.2.1", port: 5000 },
 *   destination: { transport: "udp", hostname: "198.51.100.1", port: 53 },
 * }, Uint8Array.of(1, 2, 3));
 * const { info, payload } = decodeDatagram(datagram);
 * console.log(info.source); // { transport: "udp", hostname: "192.0.2.1", port: 5000 }
 * console.log(payload); // Uint8Array(3) [ 1, 2, 3 ]
 * ```
 */
export function decodeDatagram(
  bytes: Uint8Array,
  options?: DecodeOptions,
): DecodedDatagram {
  const info = decode(bytes, options);
  if (info === undefined) {
    throw new ProxyProtocolError(
      `Cannot decode PROXY header: datagram ends after ${bytes.length} bytes`,
      bytes.length === 0 ? "empty" : "incomplete",
      { offset: bytes.length, received: bytes },
    );
  }
  return { info, payload: bytes.subarray(info.raw.length) };
}

/**
 * Puts a header in front of a payload, as one datagram (section 2, "For UDP").
 *
 * @throws {TypeError} like {@link encode}.
 * @throws {RangeError} like {@link encode}.
 *
 * @example
 * ```ts
 * import { encodeDatagram } from "@edgewire/proxy-protocol";
 *
 * const datagram = encodeDatagram({ command: "LOCAL" }, Uint8Array.of(1, 2));
 * console.log(datagram.byteLength); // 18
 * ```
 */
export function encodeDatagram(
  header: ProxyHeader,
  payload: Uint8Array,
  options?: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  const head = encode(header, options);
  const datagram = new Uint8Array(head.length + payload.length);
  datagram.set(head);
  datagram.set(payload, head.length);
  return datagram;
}
