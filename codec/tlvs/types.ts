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

/** `xNN`, the name of any type by its number. */
type TlvHexName = `x${string}`;

/** What a value is in `Tlvs`. */
export type TlvKind = "text" | "number" | "bytes";

/** Kind of value of each type that is not bytes (sections 2.2.1 to 2.2.7). */
const KINDS: Partial<Record<TlvName, TlvKind>> = {
  ALPN: "text",
  AUTHORITY: "text",
  CRC32C: "number",
  SSL_VERSION: "text",
  SSL_CN: "text",
  SSL_CIPHER: "text",
  SSL_SIG_ALG: "text",
  SSL_KEY_ALG: "text",
  SSL_GROUP: "text",
  SSL_SIG_SCHEME: "text",
  NETNS: "text",
};

/** Two hex digits of every type, by number. */
const DIGITS: readonly string[] = Array.from(
  { length: 256 },
  (_, type) => type.toString(16).toUpperCase().padStart(2, "0"),
);

/** `xNN` of every type, by number. */
const HEX_NAMES: readonly TlvHexName[] = DIGITS.map((_, type) =>
  tlvHexName(type)
);

/** Every type's name, by number. */
const NAMES: string[] = [...HEX_NAMES];

/** Kind of value by number, of the types that are not bytes. */
const KINDS_BY_TYPE: TlvKind[] = [];

/** Every type by each of its names. */
const TYPES = new Map<string, number>(
  HEX_NAMES.map((name, type) => [name, type]),
);

const KINDS_BY_NAME = new Map<string, TlvKind>(Object.entries(KINDS));
for (const [name, type] of Object.entries(TLV_TYPES)) {
  NAMES[type] = name;
  TYPES.set(name, type);
  const kind = KINDS_BY_NAME.get(name);
  if (kind !== undefined) KINDS_BY_TYPE[type] = kind;
}

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
  return TYPES.get(name);
}

/** `xNN` of a type, whether it has a name or not. */
export function tlvHexName(type: number): TlvHexName {
  return `x${DIGITS[type]}`;
}

/** Whether the specification has a name for a type. */
export function isNamed(type: number): boolean {
  return NAMES[type] !== HEX_NAMES[type];
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

/**
 * The name that a TLV has in `Tlvs` by the level where it stands; `undefined`
 * for a type of outside that stands inside SSL, which means nothing there.
 * Beside an SSL TLV, a sub-TLV that stands outside must not pass for one of its
 * facts: it is `xNN`.
 */
export function shownName(
  type: number,
  level: "outside" | "beside SSL" | "inside SSL",
): string | undefined {
  switch (level) {
    case "outside":
      return tlvName(type);
    case "beside SSL":
      return isSslSubtype(type) ? tlvHexName(type) : tlvName(type);
    case "inside SSL":
      return isNamed(type) && !isSslSubtype(type) ? undefined : tlvName(type);
  }
}

/** Whether a name stands for a sub-TLV of SSL, and not for a stray outside. */
export function isSslSubName(name: string, type: number): boolean {
  return isSslSubtype(type) && name === tlvName(type);
}
