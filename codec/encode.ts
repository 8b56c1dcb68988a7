import type { Composed } from "./_block.ts";
import { composeV1 } from "./_encode_v1.ts";
import {
  checkHeader,
  checkVersion,
  DEFAULT_RULES,
  type EncodeRules,
  readEncodeOptions,
} from "./_encode_options.ts";
import { composeV2 } from "./_encode_v2.ts";
import type { EncodeOptions, ProxyHeader } from "./types.ts";

/**
 * Encodes a header into one new buffer, to be sent in one write: many
 * receivers reject a header in pieces (sections 2.1 and 2.2).
 *
 * The header may be a decoded `ProxyInfo`, or just two addresses. A v2 header
 * of PROXY that the defaults of {@link decode} accept is encoded to the bytes
 * it was decoded from. If you change a name in `tlvs`, it is written once. If
 * you remove a name, it is not written. The other TLVs keep their places.
 * `SSL: false` removes the SSL TLV with all its sub-TLVs.
 *
 * If one address is IPv4 and the other IPv6, IPv4 is written as mapped IPv6.
 * PROXY without a transport has no family, unless it was decoded with one.
 * LOCAL has neither family nor addresses, only TLVs. v1 has no form for LOCAL,
 * UNSPEC, UNIX and DGRAM, so they are written as `PROXY UNKNOWN`.
 *
 * A header may have 65551 bytes, but few receivers accept more than 4096. Every
 * receiver of v2 accepts a header without TLVs.
 *
 * @throws {TypeError} for an unknown field or option, or a value of the wrong
 * kind, with the field's name.
 * @throws {RangeError} for one out of its range, with its name.
 *
 * @example
 * ```ts
 * import { encode, type ProxyHeader } from "@edgewire/proxy-protocol/codec";
 *
 * const header: ProxyHeader = {
 *   source: { transport: "tcp", hostname: "192.0.2.1", port: 56324 },
 *   destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
 * };
 * const line = new TextDecoder().decode(encode({ ...header, version: 1 }));
 * console.log(line); // PROXY TCP4 192.0.2.1 198.51.100.1 56324 443
 * console.log(encode(header).byteLength); // 28
 * ```
 */
export function encode(
  header: ProxyHeader,
  options?: EncodeOptions,
): Uint8Array<ArrayBuffer> {
  const { bytes, length } = compose(header, options);
  if (length > LOOP_LENGTH) return bytes.slice(0, length);
  const copy = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = bytes[i]!;
  return copy;
}

/**
 * Encodes a header at the start of `target`. Returns the length of the header
 * in bytes. If it throws, nothing is written.
 *
 * @throws {TypeError} like {@link encode}.
 * @throws {RangeError} like {@link encode}, and when `target` is too small.
 *
 * @example
 * ```ts
 * import { encodeInto } from "@edgewire/proxy-protocol/codec";
 *
 * const target = new Uint8Array(64);
 * console.log(encodeInto({ command: "LOCAL" }, target)); // 16
 * ```
 */
export function encodeInto(
  header: ProxyHeader,
  target: Uint8Array,
  options?: EncodeOptions,
): number {
  const { bytes, length } = compose(header, options);
  if (target.length < length) {
    throw new RangeError(
      `Cannot encode into target: needs ${length} bytes, received ${target.length}`,
    );
  }
  if (length > LOOP_LENGTH) target.set(bytes.subarray(0, length));
  else for (let i = 0; i < length; i++) target[i] = bytes[i]!;
  return length;
}

/** Up to this length, in bytes, a loop copies faster than a method. */
const LOOP_LENGTH = 64;

/** Makes a header, in bytes that serve for the next one as well. */
function compose(
  header: ProxyHeader,
  options: EncodeOptions | undefined,
): Composed {
  checkHeader(header);
  const rules = options === undefined
    ? DEFAULT_RULES
    : readEncodeOptions(options);
  return versionOf(header, rules) === 1
    ? composeV1(header)
    : composeV2(header, rules);
}

/** The options decide, where they say it: the version of a decoded header is the one that came. */
function versionOf(header: ProxyHeader, rules: EncodeRules): 1 | 2 {
  if (rules.version !== undefined) return rules.version;
  const { version = 2 } = header;
  checkVersion(version);
  return version;
}
