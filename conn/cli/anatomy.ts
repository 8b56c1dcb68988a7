/** The parts of a decoded header, each with its place, bytes and meaning. */

import {
  type Address,
  decodeTlvs,
  isClientVerified,
  type LocatedTlv,
  type ProxyInfo,
  ProxyProtocolError,
  readTlvs,
  TLV_TYPES,
  tlvName,
} from "../../codec/mod.ts";
import {
  checksumAt,
  checksumOf,
  FAMILIES,
  FIXED_LENGTH,
  isNamed,
  isSslSubtype,
  LINE_SIGNATURE,
  PORTS_LENGTH,
  SIGNATURE,
  SSL_FIXED_LENGTH,
  TLV_HEADER_LENGTH,
  tlvHexName,
  TRANSPORTS,
} from "../../codec/internal.ts";
import { candidates } from "./candidates.ts";
import { showBytes, showText, showUint32 } from "./show.ts";

/** A part of a header. */
export interface Field {
  /** Where it begins, in bytes from the start of the header. */
  offset: number;
  /** Its bytes in groups, such as type, length and value. */
  groups: readonly Uint8Array[];
  /** What it is called. */
  name: string;
  /** What it says. */
  meaning: string;
  /** Section of the specification. */
  section: string;
  /** Sub-TLVs of SSL are one level deeper. */
  isNested?: boolean;
}

/** Sections of the specification by type of TLV. */
const SECTIONS: ReadonlyMap<number, string> = new Map([
  [TLV_TYPES.ALPN, "2.2.1"],
  [TLV_TYPES.AUTHORITY, "2.2.2"],
  [TLV_TYPES.CRC32C, "2.2.3"],
  [TLV_TYPES.NOOP, "2.2.4"],
  [TLV_TYPES.UNIQUE_ID, "2.2.5"],
  [TLV_TYPES.SSL, "2.2.6"],
  [TLV_TYPES.NETNS, "2.2.7"],
]);

/** Ranges without names (section 2.2.8): the first type of each. */
const RANGES = [
  [0xf8, "reserved for the future"],
  [0xf0, "experimental"],
  [0xe0, "custom"],
] as const;

/** Bits of SSL_CLIENT (section 2.2.6). */
const CLIENT_BITS = [
  [0x01, "TLS"],
  [0x02, "certificate on this connection"],
  [0x04, "certificate in this session"],
] as const;

/** Every byte of a header, part by part. */
export function anatomy(info: ProxyInfo): Field[] {
  return info.tlv_start === undefined
    ? lineFields(info)
    : [...fixedFields(info), ...blockFields(info, info.tlv_start)].concat(
      tlvFields(info.rest, info.tlv_start, info),
    );
}

/** Makes fields one behind the other. */
function fieldsFrom(
  bytes: Uint8Array,
  start: number,
  section: string,
  parts: readonly (readonly [length: number, name: string, meaning: string])[],
): Field[] {
  let offset = start;
  return parts.map(([length, name, meaning]) => {
    const field = {
      offset,
      groups: [bytes.subarray(offset, offset + length)],
      name,
      meaning,
      section,
    };
    offset += length;
    return field;
  });
}

/** A line is words, each with what ends it. */
function lineFields({ raw, rest, source, destination }: ProxyInfo): Field[] {
  const signature = [LINE_SIGNATURE.length, "signature", '"PROXY "'] as const;
  const end = "\r\n".length;
  if (source === undefined || destination === undefined) {
    const word = "UNKNOWN".length;
    return fieldsFrom(raw, 0, "2.1", [
      signature,
      [word, "protocol", "UNKNOWN: no addresses, the real ones stay in force"],
      ...(rest.length > 0
        ? [[rest.length, "ignored", showBytes(rest)] as const]
        : []),
      [end, "end", "CRLF"],
    ]);
  }
  const [, ...words] = new TextDecoder().decode(raw).split(" ");
  const lengths = words.map((word) => word.length + " ".length);
  const [protocol = 0, from = 0, to = 0, fromPort = 0, toPort = 0] = lengths;
  return fieldsFrom(raw, 0, "2.1", [
    signature,
    [
      protocol,
      "protocol",
      `${words[0]}: TCP over ${ipName(words[0] === "TCP4")}`,
    ],
    [from, "source address", host(source)],
    [to, "destination address", host(destination)],
    [fromPort, "source port", port(source)],
    [toPort - " ".length - end, "destination port", port(destination)],
    [end, "end", "CRLF"],
  ]);
}

function ipName(isIpv4: boolean): string {
  return isIpv4 ? "IPv4" : "IPv6";
}

function fixedFields({ raw, version, command }: ProxyInfo): Field[] {
  const isLocal = command === "LOCAL";
  const family = raw[SIGNATURE.length + 1] ?? 0;
  const names = `${FAMILIES[family >> 4] ?? "undefined"}, ${
    TRANSPORTS[family & 0x0f] ?? "undefined"
  }`;
  return fieldsFrom(raw, 0, "2.2", [
    [SIGNATURE.length, "signature", "of version 2"],
    [
      1,
      "version, command",
      `version ${version}, ${command}${
        isLocal ? ": the sender's own connection, such as a health check" : ""
      }`,
    ],
    [1, "family, transport", isLocal ? `${names}: ignored, LOCAL` : names],
    [2, "length", `${raw.length - FIXED_LENGTH} bytes follow`],
  ]);
}

/** Addresses, or what is skipped in their place. */
function blockFields(
  { raw, command, source, destination }: ProxyInfo,
  tlv_start: number,
): Field[] {
  const length = tlv_start - FIXED_LENGTH;
  if (source === undefined || destination === undefined) {
    return length === 0 ? [] : fieldsFrom(raw, FIXED_LENGTH, "2.2", [
      [
        length,
        "address block",
        command === "LOCAL"
          ? "skipped: LOCAL has no addresses"
          : "skipped: without a transport there are no addresses",
      ],
    ]);
  }
  const ports = source.path !== undefined ? 0 : PORTS_LENGTH;
  const each = (length - ports) / 2;
  return fieldsFrom(raw, FIXED_LENGTH, "2.2", [
    [each, "source address", host(source)],
    [each, "destination address", host(destination)],
    ...(ports === 0 ? [] : [
      [ports / 2, "source port", port(source)],
      [ports / 2, "destination port", port(destination)],
    ] as const),
  ]);
}

function host(address: Address): string {
  if (address.hostname !== undefined) return address.hostname;
  return address.path === "" ? "no path" : showText(address.path);
}

function port(address: Address): string {
  return `${address.port ?? ""}`;
}

/** One level of TLVs that begins at `start` of the header. */
function tlvFields(
  bytes: Uint8Array,
  start: number,
  info: ProxyInfo,
  isNested = false,
): Field[] {
  const fields: Field[] = [];
  let end = 0;
  try {
    for (const tlv of readTlvs(bytes)) {
      end = tlv.offset + TLV_HEADER_LENGTH + tlv.value.length;
      const whole = bytes.subarray(tlv.offset, end);
      fields.push(
        ...fieldsOfTlv(tlv, whole, start + tlv.offset, info, isNested),
      );
    }
  } catch (error) {
    if (!(error instanceof ProxyProtocolError)) throw error;
  }
  if (end < bytes.length) {
    fields.push({
      offset: start + end,
      groups: [bytes.subarray(end)],
      name: "stray bytes",
      meaning: "no TLV: skipped",
      section: "2.2",
      isNested,
    });
  }
  return fields;
}

function fieldsOfTlv(
  { type, value }: LocatedTlv,
  whole: Uint8Array,
  offset: number,
  info: ProxyInfo,
  isNested: boolean,
): Field[] {
  const isSsl = type === TLV_TYPES.SSL && !isNested;
  const hasSslPart = isSsl && value.length >= SSL_FIXED_LENGTH;
  const fixed = hasSslPart ? SSL_FIXED_LENGTH : value.length;
  const isMisplaced = isNamed(type) && isSslSubtype(type) !== isNested &&
    (isNested || info.tlvs.SSL !== undefined);
  const field: Field = {
    offset,
    groups: [
      whole.subarray(0, 1),
      whole.subarray(1, TLV_HEADER_LENGTH),
      ...(hasSslPart ? [value.subarray(0, 1)] : []),
      value.subarray(hasSslPart ? 1 : 0, fixed),
    ],
    name: isMisplaced ? tlvHexName(type) : tlvName(type),
    meaning: isMisplaced
      ? `${tlvName(type)} ${isNested ? "inside" : "outside"} SSL: means nothing`
      : meaningOf(type, value, whole, offset, info),
    section: isNested ? "2.2.6" : SECTIONS.get(type) ??
      (type >= 0xe0 ? "2.2.8" : "2.2"),
    isNested,
  };
  const subTlvs = value.subarray(fixed);
  const subStart = offset + TLV_HEADER_LENGTH + fixed;
  return [field, ...tlvFields(subTlvs, subStart, info, true)];
}

/** What the codec makes of one TLV by itself. */
function meaningOf(
  type: number,
  value: Uint8Array,
  whole: Uint8Array,
  offset: number,
  info: ProxyInfo,
): string {
  const { tlvs } = decodeTlvs(whole, { partial: true });
  if (type === TLV_TYPES.SSL) {
    if (tlvs.SSL_CLIENT === undefined) return "too short";
    const bits = tlvs.SSL_CLIENT;
    const said = CLIENT_BITS.filter(([bit]) => (bits & bit) !== 0)
      .map(([, text]) => text);
    return `${
      said.length === 0 ? "no TLS" : said.join(", ")
    }; verify ${tlvs.SSL_VERIFY}: client ${
      isClientVerified({ tlvs }) ? "" : "not "
    }verified`;
  }
  if (type === TLV_TYPES.CRC32C) {
    if (tlvs.CRC32C === undefined) return "not 4 bytes";
    const said = showUint32(tlvs.CRC32C);
    // To check every one over the whole header would be quadratic: 9360 of them took 1.1 s, one takes 0.1 ms.
    if (offset !== checksumAt(info)) {
      return `${said}, not checked: not the last`;
    }
    const expected = checksumOf(info, offset);
    return tlvs.CRC32C === expected
      ? `${said}, right`
      : `${said}, WRONG: expected ${showUint32(expected)}`;
  }
  const read = Object.values(tlvs)[0];
  if (typeof read === "string") return showText(read);
  if (read === undefined) return "does not fit its type";
  const range = RANGES.find(([first]) => type >= first)?.[1];
  const plain = type === TLV_TYPES.NOOP
    ? "padding"
    : value.length === 0
    ? "empty"
    : showBytes(value).startsWith("0x")
    ? `${value.length} bytes`
    : showBytes(value);
  // Nothing says who has sent it: the type means something else to each.
  const guesses = candidates(type, value);
  const said = guesses.length === 0
    ? plain
    : `${guesses.join(", or ")}, or of another sender`;
  return range === undefined ? said : `${said} (${range})`;
}
