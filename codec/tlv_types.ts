/**
 * Types of the TLVs by the names of the specification, `PP2_TYPE_` and
 * `PP2_SUBTYPE_` left off (sections 2.2 and 2.2.6).
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { TLV_TYPES } from "@edgewire/proxy-protocol/codec";
 *
 * assertEquals(TLV_TYPES.ALPN, 0x01);
 * ```
 */
export const TLV_TYPES = {
  ALPN: 0x01,
  AUTHORITY: 0x02,
  CRC32C: 0x03,
  NOOP: 0x04,
  UNIQUE_ID: 0x05,
  SSL: 0x20,
  SSL_VERSION: 0x21,
  SSL_CN: 0x22,
  SSL_CIPHER: 0x23,
  SSL_SIG_ALG: 0x24,
  SSL_KEY_ALG: 0x25,
  SSL_GROUP: 0x26,
  SSL_SIG_SCHEME: 0x27,
  SSL_CLIENT_CERT: 0x28,
  NETNS: 0x30,
} as const satisfies Record<string, number>;

/** Name of a type of TLV in the specification. */
export type TlvName = keyof typeof TLV_TYPES;

/** Text, number, bytes: what the value of each named type is in `Tlvs`. */
export type TlvKind = "text" | "number" | "bytes" | "ssl";

/** Kind of value of each type that is not bytes (sections 2.2.1 to 2.2.7). */
const KINDS: Partial<Record<TlvName, TlvKind>> = {
  ALPN: "text",
  AUTHORITY: "text",
  CRC32C: "number",
  SSL: "ssl",
  SSL_VERSION: "text",
  SSL_CN: "text",
  SSL_CIPHER: "text",
  SSL_SIG_ALG: "text",
  SSL_KEY_ALG: "text",
  SSL_GROUP: "text",
  SSL_SIG_SCHEME: "text",
  NETNS: "text",
};

/** Every type's name, by number. */
const NAMES: readonly string[] = Array.from({ length: 256 }, (_, type) => {
  const named = Object.entries(TLV_TYPES).find(([, value]) => value === type);
  return named?.[0] ?? `x${type.toString(16).toUpperCase().padStart(2, "0")}`;
});

/** Every type by its name, `xNN` of the unnamed ones included. */
const TYPES: ReadonlyMap<string, number> = new Map(
  NAMES.map((name, type) => [name, type]),
);

/** Every type's kind of value, by number. */
const KINDS_BY_TYPE: readonly TlvKind[] = NAMES.map((name) =>
  (KINDS as Partial<Record<string, TlvKind>>)[name] ?? "bytes"
);

/**
 * Names a type of TLV: that of the specification, or `xNN` in upper-case hex.
 *
 * @throws {RangeError} when `type` is not a whole number from 0 to 255.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tlvName } from "@edgewire/proxy-protocol/codec";
 *
 * assertEquals(tlvName(0x01), "ALPN");
 * assertEquals(tlvName(0xea), "xEA");
 * ```
 */
export function tlvName(type: number): string {
  const name = NAMES[type];
  if (name === undefined) {
    throw new RangeError(
      `Cannot name TLV type: expected 0 to 255, received ${type}`,
    );
  }
  return name;
}

/**
 * Finds the type of a name: the way back from {@link tlvName}. Also takes
 * `xNN` for a type that has a name. `undefined` when it is neither.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { tlvType } from "@edgewire/proxy-protocol/codec";
 *
 * assertEquals(tlvType("CRC32C"), 0x03);
 * assertEquals(tlvType("xEA"), 0xea);
 * assertEquals(tlvType("EA"), undefined);
 * ```
 */
export function tlvType(name: string): number | undefined {
  return TYPES.get(name) ??
    (/^x[0-9A-F]{2}$/.test(name) ? parseInt(name.slice(1), 16) : undefined);
}

/** What the value of a type is in `Tlvs`. */
export function tlvKind(type: number): TlvKind {
  return KINDS_BY_TYPE[type] ?? "bytes";
}

/**
 * Tells whether a type belongs inside the SSL TLV: 0x21 to 0x2F, of which the
 * specification has named eight (section 2.2.6).
 */
export function isSslSubtype(type: number): boolean {
  return type > TLV_TYPES.SSL && type < TLV_TYPES.NETNS;
}
