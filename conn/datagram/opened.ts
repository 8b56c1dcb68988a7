import {
  decodeSimpleDatagram,
  encodeSimpleDatagram,
  type ProxyInfo,
} from "../../codec/mod.ts";
import type { DecodeRules } from "../../codec/internal.ts";
import { type Ends, endsOf } from "../_ends.ts";
import { decodeDatagram } from "../datagram.ts";

/** A datagram whose header has been read, or that needs none. */
export interface Opened {
  readonly info: ProxyInfo | undefined;
  /** The client's ends, if the header names them. */
  readonly ends: Ends | undefined;
  readonly payload: Uint8Array;
  /** Returns the datagram to send back for an answer. */
  readonly answer: (payload: Uint8Array) => Uint8Array;
}

const asItIs = (payload: Uint8Array): Uint8Array => payload;

/** Returns a datagram without a header. */
export function openPlain(bytes: Uint8Array): Opened {
  return { info: undefined, ends: undefined, payload: bytes, answer: asItIs };
}

/**
 * Reads the header of version 1 or 2 in a datagram.
 *
 * @throws {ProxyProtocolError} like `decodeDatagram`.
 */
export function openProxy(bytes: Uint8Array, rules: DecodeRules): Opened {
  const { info, payload } = decodeDatagram(bytes, rules);
  return { info, ends: endsOf(info), payload, answer: asItIs };
}

/**
 * Reads the header of the Simple Proxy Protocol in a datagram.
 *
 * @throws {ProxyProtocolError} like `decodeSimpleDatagram`.
 */
export function openSimple(bytes: Uint8Array): Opened {
  const { source, destination, payload } = decodeSimpleDatagram(bytes);
  return {
    info: undefined,
    ends: { remoteAddr: source, localAddr: destination },
    payload,
    answer: (reply) => encodeSimpleDatagram({ source, destination }, reply),
  };
}
