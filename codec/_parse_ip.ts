import { FieldScanner } from "./_field_scanner.ts";

/** Longest IPv6 text, with a dotted quad at the end. */
const LONGEST_TEXT = 45;

/**
 * Reads an IPv4 or IPv6 address by the grammar of a v1 line (section 2.1), to
 * 4 or 16 octets; `undefined` when it is neither.
 */
export function parseIp(text: string | undefined): Uint8Array | undefined {
  if (typeof text !== "string" || text.length > LONGEST_TEXT) return undefined;
  const line = new Uint8Array(text.length + 1);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x7f) return undefined;
    line[i] = code;
  }
  line[text.length] = 0x20; // the separator that ends the field
  const fields = new FieldScanner(line, 0);
  const isRead = text.includes(":") ? fields.ipv6(false) : fields.ipv4();
  if (!isRead || fields.at !== line.length) return undefined;
  return fields.octets.subarray(0, fields.isIpv6 ? 16 : 4);
}
