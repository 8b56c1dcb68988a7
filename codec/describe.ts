import { isChecksumRight } from "./_checksum.ts";
import { toHex } from "./_hex.ts";
import { quote, quoteText } from "./_quote.ts";
import { formatAddress } from "./format_address.ts";
import { isClientVerified } from "./tlvs/is_client_verified.ts";
import type { ProxyInfo } from "./types.ts";

/** Longest value that is shown whole, in characters of text or in bytes. */
const LONGEST_TEXT = 128;
const LONGEST_BYTES = 64;

/**
 * Returns a header as one line for logs: version, command, family, transport,
 * addresses and TLVs. For an SSL TLV, the line says whether
 * {@link isClientVerified} is true. For a CRC32C, it says whether the checksum
 * matches. For `undefined`, the `info` of a direct connection, it is
 * `no header`.
 *
 * The line never has line breaks or terminal control characters, whatever the
 * peer sent. Text over 128 characters and bytes over 64 are cut. The format is
 * for people: it may change in any version.
 *
 * @example
 * ```ts
 * import { decode, describe, encode } from "@edgewire/proxy-protocol/codec";
 *
 * const header = encode({
 *   source: { transport: "tcp", hostname: "2001:db8::1", port: 56324 },
 *   destination: { transport: "tcp", hostname: "2001:db8::2", port: 443 },
 *   tlvs: { ALPN: "h2" },
 * }, { checksum: true });
 * const line = describe(decode(header));
 * console.log(line); // v2 PROXY INET6 STREAM [2001:db8::1]:56324 -> [2001:db8::2]:443 CRC32C=right ALPN="h2"
 * ```
 */
export function describe(info: ProxyInfo | undefined): string {
  if (info === undefined) return "no header";
  const { version, source, destination, tlvs } = info;
  const words = [`v${version} ${kindOf(info)}`];
  if (source !== undefined && destination !== undefined) {
    words.push(formatAddress(source), "->", formatAddress(destination));
  }
  for (const [name, value] of Object.entries(tlvs)) {
    if (value === undefined || name === "SSL") continue;
    words.push(`${name}=${name === "CRC32C" ? verdict(info) : word(value)}`);
  }
  if (tlvs.SSL) {
    words.push(`client=${isClientVerified(info) ? "" : "un"}verified`);
  }
  return words.join(" ");
}

/** What kind of header it is, in words. */
export function kindOf(info: ProxyInfo): string {
  const { version, command, family, transport } = info;
  if (command === "LOCAL") return "LOCAL";
  if (version === 1 && family === "UNSPEC") return "UNKNOWN";
  return `${command} ${family} ${transport}`;
}

function verdict(info: ProxyInfo): string {
  return isChecksumRight(info) ? "right" : "WRONG";
}

function word(value: unknown): string {
  if (value instanceof Uint8Array) return bytesWord(value);
  if (typeof value !== "string") return quote(value);
  return value.length > LONGEST_TEXT
    ? `${quoteText(value.slice(0, LONGEST_TEXT))}...`
    : quoteText(value);
}

/** Bytes as text in quotes where they are ASCII text, else as hex. */
function bytesWord(bytes: Uint8Array): string {
  const isLong = bytes.length > LONGEST_BYTES;
  const start = isLong ? bytes.subarray(0, LONGEST_BYTES) : bytes;
  const isText = bytes.every((byte) => byte >= 0x20 && byte < 0x7f);
  const text = isText
    ? quoteText(new TextDecoder().decode(start))
    : `0x${toHex(start)}`;
  return isLong ? `${text}...(${bytes.length} bytes)` : text;
}
