import {
  CHECKSUM_LENGTH,
  LONGEST_TLV_VALUE,
  LONGEST_UNIQUE_ID,
  SSL_FIXED_LENGTH,
} from "../_wire.ts";
import { quote } from "../_quote.ts";
import type { HexDigit, TlvHexName, TlvLocations, Tlvs } from "../types.ts";

/**
 * Types of the TLVs by the names of the specification, `PP2_TYPE_` and
 * `PP2_SUBTYPE_` left off (sections 2.2 and 2.2.6).
 *
 * @example
 * ```ts
 * import { TLV_TYPES } from "@edgewire/proxy-protocol/codec";
 *
 * console.log(TLV_TYPES.ALPN); // 1
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
} as const satisfies Record<NamedTlv, number>;

/** Name of a type of TLV in the specification. */
export type TlvName = keyof typeof TLV_TYPES;

/** Names in `Tlvs` that are types of their own: the first two parts of SSL are none. */
type NamedTlv = Exclude<
  keyof Tlvs,
  TlvHexName | "SSL_CLIENT" | "SSL_VERIFY"
>;

/** What a value is in `Tlvs`; that of SSL is in parts. */
export type TlvKind = "text" | "number" | "bytes" | "ssl";

/** Puts a value and its place into two records, under one name. */
type Store<Value> = (
  tlvs: Tlvs,
  tlv_loc: TlvLocations,
  value: Value,
  offset: number,
) => void;

/** A kind of value, and how it is stored. */
type Form =
  | { readonly kind: "text"; readonly store: Store<string> }
  | { readonly kind: "number"; readonly store: Store<number> }
  | { readonly kind: "bytes"; readonly store: Store<Uint8Array> }
  | { readonly kind: "ssl" };

/** What is known of a type. */
export type TlvRule = Form & {
  /** Shortest and longest value, in bytes. */
  readonly shortest: number;
  readonly longest: number;
};

/** The form that a name must have for its value in `Tlvs`. */
type RuleOf<Name extends NamedTlv> = Extract<TlvRule, {
  kind: Required<Tlvs>[Name] extends string ? "text"
    : Required<Tlvs>[Name] extends number ? "number"
    : Required<Tlvs>[Name] extends boolean ? "ssl"
    : "bytes";
}>;

const ANY_LENGTH = { shortest: 0, longest: LONGEST_TLV_VALUE } as const;

function text(store: Store<string>): RuleOf<"ALPN"> {
  return { kind: "text", store, ...ANY_LENGTH };
}

function bytes(
  store: Store<Uint8Array>,
  longest: number = LONGEST_TLV_VALUE,
): RuleOf<"NOOP"> {
  return { kind: "bytes", store, shortest: 0, longest };
}

/**
 * What is known of each type (sections 2.2.1 to 2.2.7). A name that `Tlvs` has
 * and this or {@link TLV_TYPES} has not does not compile, nor one with another
 * kind of value. Each stores under a name that is written out: under a computed
 * one it needs four times as long.
 */
const RULES: { readonly [Name in NamedTlv]: RuleOf<Name> } = {
  ALPN: text((tlvs, tlv_loc, value, offset) => {
    tlvs.ALPN = value;
    tlv_loc.ALPN = offset;
  }),
  AUTHORITY: text((tlvs, tlv_loc, value, offset) => {
    tlvs.AUTHORITY = value;
    tlv_loc.AUTHORITY = offset;
  }),
  CRC32C: {
    kind: "number",
    shortest: CHECKSUM_LENGTH,
    longest: CHECKSUM_LENGTH,
    store: (tlvs, tlv_loc, value, offset) => {
      tlvs.CRC32C = value;
      tlv_loc.CRC32C = offset;
    },
  },
  NOOP: bytes((tlvs, tlv_loc, value, offset) => {
    tlvs.NOOP = value;
    tlv_loc.NOOP = offset;
  }),
  UNIQUE_ID: bytes((tlvs, tlv_loc, value, offset) => {
    tlvs.UNIQUE_ID = value;
    tlv_loc.UNIQUE_ID = offset;
  }, LONGEST_UNIQUE_ID),
  SSL: {
    kind: "ssl",
    shortest: SSL_FIXED_LENGTH,
    longest: LONGEST_TLV_VALUE,
  },
  SSL_VERSION: text((tlvs, tlv_loc, value, offset) => {
    tlvs.SSL_VERSION = value;
    tlv_loc.SSL_VERSION = offset;
  }),
  SSL_CN: text((tlvs, tlv_loc, value, offset) => {
    tlvs.SSL_CN = value;
    tlv_loc.SSL_CN = offset;
  }),
  SSL_CIPHER: text((tlvs, tlv_loc, value, offset) => {
    tlvs.SSL_CIPHER = value;
    tlv_loc.SSL_CIPHER = offset;
  }),
  SSL_SIG_ALG: text((tlvs, tlv_loc, value, offset) => {
    tlvs.SSL_SIG_ALG = value;
    tlv_loc.SSL_SIG_ALG = offset;
  }),
  SSL_KEY_ALG: text((tlvs, tlv_loc, value, offset) => {
    tlvs.SSL_KEY_ALG = value;
    tlv_loc.SSL_KEY_ALG = offset;
  }),
  SSL_GROUP: text((tlvs, tlv_loc, value, offset) => {
    tlvs.SSL_GROUP = value;
    tlv_loc.SSL_GROUP = offset;
  }),
  SSL_SIG_SCHEME: text((tlvs, tlv_loc, value, offset) => {
    tlvs.SSL_SIG_SCHEME = value;
    tlv_loc.SSL_SIG_SCHEME = offset;
  }),
  SSL_CLIENT_CERT: bytes((tlvs, tlv_loc, value, offset) => {
    tlvs.SSL_CLIENT_CERT = value;
    tlv_loc.SSL_CLIENT_CERT = offset;
  }),
  NETNS: text((tlvs, tlv_loc, value, offset) => {
    tlvs.NETNS = value;
    tlv_loc.NETNS = offset;
  }),
};

const DIGITS: readonly HexDigit[] = [
  ...["0", "1", "2", "3", "4", "5", "6", "7"] as const,
  ...["8", "9", "A", "B", "C", "D", "E", "F"] as const,
];

/** `xNN` of every type, by number. */
const HEX_NAMES: readonly TlvHexName[] = DIGITS.flatMap((high) =>
  DIGITS.map((low): TlvHexName => `x${high}${low}`)
);

/** Every type's name, by number. */
const NAMES: string[] = [...HEX_NAMES];

/** What is known of every type, by number. */
const RULES_BY_TYPE: TlvRule[] = HEX_NAMES.map((name) =>
  bytes((tlvs, tlv_loc, value, offset) => {
    tlvs[name] = value;
    tlv_loc[name] = offset;
  })
);

/** What is known of a name in `Tlvs`, the parts of SSL left off. */
export interface NameRule {
  readonly type: number;
  /** Of the value under this name: `xNN` is always bytes. */
  readonly kind: TlvKind;
  /** Whether it stands for a sub-TLV of SSL, and not for a stray outside. */
  readonly isSslSub: boolean;
}

/** All names of types: on Bun one is found a third faster than in a `Map`. */
const NAME_RULES: Record<string, NameRule> = Object.create(null);
HEX_NAMES.forEach((name, type) => {
  NAME_RULES[name] = { type, kind: "bytes", isSslSub: isSslSubtype(type) };
});

const RULES_BY_NAME = new Map<string, TlvRule>(Object.entries(RULES));
for (const [name, type] of Object.entries(TLV_TYPES)) {
  NAMES[type] = name;
  const rule = RULES_BY_NAME.get(name);
  if (rule !== undefined) RULES_BY_TYPE[type] = rule;
  const isSslSub = isSslSubtype(type);
  NAME_RULES[HEX_NAMES[type]!] = { type, kind: "bytes", isSslSub: false };
  NAME_RULES[name] = { type, kind: tlvKind(type), isSslSub };
}

/**
 * Returns the name of a TLV type: the specification's name, or `xNN` in
 * upper-case hex.
 *
 * @throws {RangeError} when `type` is not a whole number from 0 to 255.
 *
 * @example
 * ```ts
 * import { tlvName } from "@edgewire/proxy-protocol/codec";
 *
 * console.log(tlvName(0x01)); // ALPN
 * console.log(tlvName(0xea)); // xEA
 * ```
 */
export function tlvName(type: number): string {
  const name = NAMES[type];
  if (name === undefined) {
    throw new RangeError(
      `Cannot name TLV type: expected 0 to 255, received ${quote(type)}`,
    );
  }
  return name;
}

/**
 * Returns the TLV type of a name, as the inverse of {@link tlvName}. Also
 * accepts `xNN` for a type that has a name. Returns `undefined` for any other
 * text.
 *
 * @example
 * ```ts
 * import { tlvType } from "@edgewire/proxy-protocol/codec";
 *
 * console.log(tlvType("CRC32C")); // 3
 * console.log(tlvType("xEA")); // 234
 * console.log(tlvType("EA")); // undefined
 * ```
 */
export function tlvType(name: string): number | undefined {
  return NAME_RULES[name]?.type;
}

/** What is known of a name; `undefined` for one that no type has. */
export function nameRule(name: string): NameRule | undefined {
  return NAME_RULES[name];
}

/** All names that a TLV can have in `Tlvs`, but for the parts of SSL. */
export function tlvNames(): readonly string[] {
  return Object.keys(NAME_RULES);
}

/** `xNN` of a type, whether it has a name or not. */
export function tlvHexName(type: number): TlvHexName {
  return HEX_NAMES[type]!;
}

/** Whether the specification has a name for a type. */
export function isNamed(type: number): boolean {
  return NAMES[type] !== HEX_NAMES[type];
}

/** What is known of a type, 0 to 255. */
export function tlvRule(type: number): TlvRule {
  return RULES_BY_TYPE[type]!;
}

/** What the value of a type is in `Tlvs`. */
export function tlvKind(type: number): TlvKind {
  return tlvRule(type).kind;
}

/** Whether a value of this length fits the rules of its type. */
export function fits(type: number, length: number): boolean {
  const { shortest, longest } = tlvRule(type);
  return length >= shortest && length <= longest;
}

/** The lengths that the value of a type may have, in words. */
export function lengthsOf(type: number): string {
  const { shortest, longest } = tlvRule(type);
  if (shortest === longest) return `${longest}`;
  return shortest > 0 ? `at least ${shortest}` : `at most ${longest}`;
}

/**
 * Returns whether a type belongs inside the SSL TLV: 0x21 to 0x2F, of which the
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

/** Whether a name stands for the SSL TLV itself. */
export function isSslPart(name: string): boolean {
  return name === "SSL" || name === "SSL_CLIENT" || name === "SSL_VERIFY";
}
