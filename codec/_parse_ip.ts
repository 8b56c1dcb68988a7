import { COLON, SPACE } from "./_ascii.ts";
import { FieldScanner } from "./_field_scanner.ts";
import { octet } from "./_wire.ts";

/** Longest IPv6 text, with a dotted quad at the end. */
const LONGEST_TEXT = 45;

/** A text as bytes, and the separator that ends its field. */
const line = new Uint8Array(LONGEST_TEXT + 1);
const fields = new FieldScanner();

/**
 * Reads an IPv4 or IPv6 address by the grammar of a v1 line (section 2.1) into
 * `target` at `at`; how many octets it has, 0 when it is neither.
 */
export function readIp(
  text: string | undefined,
  target: Uint8Array,
  at: number,
): 0 | 4 | 16 {
  if (typeof text !== "string" || text.length > LONGEST_TEXT) return 0;
  let isIpv6 = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return 0;
    isIpv6 ||= code === COLON;
    line[i] = code;
  }
  line[text.length] = SPACE;
  fields.begin(0);
  const isRead = isIpv6 ? fields.ipv6(line, false) : fields.ipv4(line);
  if (!isRead || fields.at !== text.length + 1) return 0;
  const length = isIpv6 ? 16 : 4;
  for (let i = 0; i < length; i++) target[at + i] = octet(fields.octets, i);
  return length;
}

/** The 4 or 16 octets of an address, `undefined` when it is neither. */
export function parseIp(text: string): Uint8Array | undefined {
  const octets = new Uint8Array(16);
  const length = readIp(text, octets, 0);
  return length === 0 ? undefined : octets.subarray(0, length);
}
