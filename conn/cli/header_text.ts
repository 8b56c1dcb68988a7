/** Parts of a header as people type them. */

import { quote, tlvKind } from "../../codec/internal.ts";
import {
  type Address,
  type RawTlv,
  type Tlvs,
  tlvType,
} from "../../codec/mod.ts";
import { bytesOfHex } from "./input_bytes.ts";
import { readHostPort, readNumber } from "./read_text.ts";
import { UsageError } from "./usage_error.ts";

/** `192.0.2.1:443`, `[::1]:443`, `unix:/run/socket`, `unix:@abstract`. */
export function readAddress(
  name: string,
  text: string,
  transport: "stream" | "dgram",
): Address {
  const isStream = transport === "stream";
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length).replace(/^@/, "\0");
    return { transport: isStream ? "unix" : "unixpacket", path };
  }
  return {
    transport: isStream ? "tcp" : "udp",
    ...readHostPort(name, text),
  };
}

/** A TLV as somebody has typed it. */
export interface TypedTlv {
  /** Its name. */
  name: string;
  /** What asks for it, for messages. */
  option: string;
  value: string | undefined;
}

/**
 * Returns TLVs by their names, in the given order. All SSL TLVs become one, which
 * `ssl` also adds.
 */
export function namedTlvs(named: readonly TypedTlv[], ssl = false): Tlvs {
  const tlvs: Tlvs = {};
  const record: Record<string, Tlvs[keyof Tlvs]> = tlvs;
  for (const { name, option, value = "" } of named) {
    record[name] = readTlvValue(name, option, value);
  }
  if (ssl || Object.keys(record).some((name) => name.startsWith("SSL_"))) {
    tlvs.SSL = true;
  }
  return tlvs;
}

/** The value of a named TLV: a number, text, or bytes as text or as `0x` and hex. */
function readTlvValue(
  name: string,
  option: string,
  value: string,
): string | number | Uint8Array {
  if (name === "SSL_CLIENT") return readNumber(option, value, 0, 0xff);
  if (name === "SSL_VERIFY") return readNumber(option, value, 0, 0xffffffff);
  if (tlvKind(tlvType(name) ?? 0) === "text") return value;
  return value.startsWith("0x")
    ? readHexValue(option, value)
    : new TextEncoder().encode(value);
}

/** `xEA=HEX` or `ALPN=HEX`. */
export function readTlv(text: string): RawTlv {
  const equals = text.indexOf("=");
  const type = equals < 0 ? undefined : tlvType(text.slice(0, equals));
  if (type === undefined) {
    throw new UsageError(
      `Cannot read --tlv: expected a type such as xEA or ALPN, = and hex, received ${
        quote(text)
      }`,
    );
  }
  return { type, value: readHexValue("--tlv", text.slice(equals + 1)) };
}

function readHexValue(name: string, text: string): Uint8Array {
  const bytes = text === "" ? new Uint8Array() : bytesOfHex(text);
  if (bytes !== undefined) return bytes;
  throw new UsageError(
    `Cannot read ${name}: expected hex, received ${quote(text)}`,
  );
}
