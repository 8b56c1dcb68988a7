/**
 * The plain data that the codec reads and writes.
 *
 * @module
 */

/**
 * One end of a connection over IP, in the shape of Deno's `NetAddr`. IPv4 is
 * dotted text, IPv6 is RFC 5952 text.
 */
export interface NetAddress {
  /** Carrier of the proxied connection: STREAM is `tcp`, DGRAM is `udp`. */
  transport: "tcp" | "udp";
  /** IPv4 or IPv6 address as text. */
  hostname: string;
  /** Port, 0 to 65535. */
  port: number;
  /** Always absent. */
  path?: undefined;
}

/**
 * One end of a connection over a UNIX socket, in the shape of Deno's
 * `UnixAddr`. A path ends at its first NUL. An abstract path keeps its leading
 * NUL.
 */
export interface UnixAddress {
  /** Carrier: STREAM is `unix`, DGRAM is `unixpacket`. */
  transport: "unix" | "unixpacket";
  /** Path of the socket, at most 108 bytes. Empty if the socket has no path. */
  path: string;
  /** Always absent. */
  hostname?: undefined;
  /** Always absent. */
  port?: undefined;
}

/**
 * One end of a connection. You can read `hostname`, `port` and `path` of either
 * type: a member that the type lacks is `undefined`. To find the type, compare
 * with `undefined`: `address.path !== undefined`.
 *
 * A header that arrives over TCP can name UNIX sockets, so even the client of a
 * TCP listener may have no `hostname`. {@link formatAddress} returns an address
 * as text.
 */
export type Address = NetAddress | UnixAddress;

/**
 * Command of a header: `LOCAL` is a connection of the proxy itself, such as a
 * health check (section 2.2).
 */
export type Command = "PROXY" | "LOCAL";

/**
 * Address family of the proxied connection (section 2.2). v1 `UNKNOWN` is
 * `UNSPEC`.
 */
export type Family = "UNSPEC" | "INET" | "INET6" | "UNIX";

/** Transport of the proxied connection (section 2.2); v1 `TCP4` and `TCP6` are `STREAM`. */
export type Transport = "UNSPEC" | "STREAM" | "DGRAM";

/**
 * TLVs by the names of the specification, in one flat record that also has the
 * sub-TLVs of SSL (sections 2.2.1 to 2.2.8).
 *
 * A type without a name is `xNN` in upper-case hex, such as `xEA`. Only the
 * last duplicate is kept, and only the sub-TLVs of the last SSL TLV.
 * {@link readTlvs} yields all of them. A type that belongs outside SSL is left
 * out if it is inside. A sub-TLV that is outside, next to an SSL TLV, is named
 * `xNN`. Byte values are views into the header, not copies. Text that is not
 * valid UTF-8 keeps each of its bytes over 0x7F as a lone surrogate U+DC80 to
 * U+DCFF, so that different bytes never become the same text.
 */
export type Tlvs =
  & {
    /** 0x01: application protocol that TLS negotiated, such as `h2` (section 2.2.1). */
    ALPN?: string;
    /** 0x02: host name the client asked for, usually the SNI (section 2.2.2). */
    AUTHORITY?: string;
    /** 0x03: CRC32C of the header with this field as zero, 32 bits (section 2.2.3). */
    CRC32C?: number;
    /** 0x04: padding (section 2.2.4). */
    NOOP?: Uint8Array;
    /** 0x05: opaque id of the connection, at most 128 bytes (section 2.2.5). */
    UNIQUE_ID?: Uint8Array;
    /** 0x20: an SSL TLV is there and its sub-TLVs could be read (section 2.2.6). */
    SSL?: boolean;
    /** Bit field of the SSL TLV: 0x01 SSL, 0x02 certificate on this connection, 0x04 in this session. */
    SSL_CLIENT?: number;
    /**
     * 32-bit result of the SSL TLV: 0 when the client's certificate was verified.
     * Senders also write 0 where there was no certificate: ask
     * {@link isClientVerified}.
     */
    SSL_VERIFY?: number;
    /** 0x21: TLS version, such as `TLSv1.3`. */
    SSL_VERSION?: string;
    /** 0x22: common name of the client's certificate. */
    SSL_CN?: string;
    /** 0x23: cipher. */
    SSL_CIPHER?: string;
    /** 0x24: algorithm that signed the frontend's certificate. */
    SSL_SIG_ALG?: string;
    /** 0x25: algorithm of the key of the frontend's certificate. */
    SSL_KEY_ALG?: string;
    /** 0x26: key exchange group, such as `secp256r1`. */
    SSL_GROUP?: string;
    /** 0x27: signature scheme of the handshake, such as `rsa_pss_rsae_sha256`. */
    SSL_SIG_SCHEME?: string;
    /** 0x28: the client's certificate, X.509 in DER. */
    SSL_CLIENT_CERT?: Uint8Array;
    /** 0x30: name of the network namespace (section 2.2.7). */
    NETNS?: string;
  }
  & {
    /** Any type without a name, as its value's bytes: `xEA`, not `xea`. */
    [Name in TlvHexName]?: Uint8Array | undefined;
  };

/** Name of a TLV without a name in the specification: `x` and its type as two upper-case hex digits. */
export type TlvHexName = `x${HexDigit}${HexDigit}`;

/** A hex digit, in upper case. */
export type HexDigit =
  | "0"
  | "1"
  | "2"
  | "3"
  | "4"
  | "5"
  | "6"
  | "7"
  | "8"
  | "9"
  | "A"
  | "B"
  | "C"
  | "D"
  | "E"
  | "F";

/**
 * Offset of each TLV of {@link Tlvs}, including the sub-TLVs of SSL: bytes from
 * the first TLV to the type byte. The value of a TLV starts 3 bytes after its
 * type byte.
 */
export type TlvLocations = Record<string, number>;

/** TLVs by name, and their offsets. */
export interface DecodedTlvs {
  /** Values by name. */
  tlvs: Tlvs;
  /** Offset of each type byte from the first TLV, by name. */
  tlv_loc: TlvLocations;
}

/** Definition of a TLV, from which {@link defineTlv} makes a reader. */
export interface TlvDefinition<Name extends string, Value> {
  /** Type of the TLV, 0 to 255. */
  type: number;
  /** Name of the value in `info.tlvs`: letters, digits and `_`. */
  name: Name;
  /**
   * Reads a value, which is a view of the header. Returns `undefined` for
   * bytes of another shape.
   */
  read(value: Uint8Array): Value | undefined;
}

/**
 * A type of TLV with its reader. {@link defineTlv} makes one. Readers for some
 * vendors are exported.
 */
export interface TlvReader<Name extends string = string, Value = unknown> {
  /**
   * Reads the value from an info. Returns `undefined` if no TLV of the type has
   * the right shape.
   */
  (info: TlvSource): Value | undefined;
  /** Type of the TLV, 0 to 255. */
  readonly type: number;
  /** Name of the value in `info.tlvs`. */
  readonly tlvName: Name;
  /**
   * Reads the bytes of one TLV. Returns `undefined` for bytes of another shape.
   */
  read(value: Uint8Array): Value | undefined;
}

/** The parts of an info that a {@link TlvReader} reads. */
export type TlvSource =
  & Pick<ProxyInfo, "version">
  & Partial<Pick<ProxyInfo, "rest" | "raw" | "tlv_start">>;

/** Names and values that readers add to `info.tlvs`. */
export type DefinedTlvs<R extends TlvReader> = [R] extends [never] ? object
  : string extends R["tlvName"] ? object
  : {
    readonly [D in R as D["tlvName"]]?: Exclude<ReturnType<D>, undefined>;
  };

/** One TLV as it is on the wire (section 2.2). */
export interface RawTlv {
  /** Type, 0 to 255. */
  type: number;
  /** Value, at most 65535 bytes. */
  value: Uint8Array;
}

/** A TLV with its offset, as {@link readTlvs} yields it. */
export interface LocatedTlv extends RawTlv {
  /** Offset of the type byte in the bytes passed to {@link readTlvs}. */
  offset: number;
}

/**
 * A decoded header: one shape for both versions, plain data. v1 has no TLVs.
 *
 * | what arrived | `info` | `info.source` | `remoteAddr` of the connection |
 * |---|---|---|---|
 * | PROXY with addresses | the header | the client | the client |
 * | PROXY without them: v1 `UNKNOWN`, UNSPEC | the header | `undefined` | the peer |
 * | LOCAL: a health check of the proxy | the header | `undefined` | the peer |
 * | any of them, with `header: "discard"` | the header | as above | the peer |
 * | no header: a direct client | `undefined` | | the peer |
 *
 * - `console.log` prints all but `raw` and `rest`.
 * - `JSON.stringify` writes bytes as hex: `raw`, and values in `tlvs`. To
 *   restore the header, decode the bytes of `raw`.
 * - Copies, by `{ ...info }` and `structuredClone`, are plain objects without
 *   `rest`. {@link encode} writes the same bytes for them, because they have
 *   `raw`. Without `raw`, it writes only what `tlvs` has.
 * - `Defined` has the names that the option `define` adds to `tlvs`. Their
 *   values are read from the bytes of an `xNN`, and {@link encode} writes those
 *   bytes.
 * - Deep comparisons also compare `raw`. Strict ones also compare the
 *   prototype. To compare with a literal, use `{ ...info }` or single fields.
 */
export interface ProxyInfo<Defined extends object = object>
  extends DecodedTlvs {
  /** Values by name, including those of the option `define`. */
  tlvs: Tlvs & Defined;
  /** Version of the header. */
  version: 1 | 2;
  /** Command; v1 has only `PROXY`. */
  command: Command;
  /**
   * Address family; `UNSPEC` for LOCAL, whose family must be ignored, and for
   * v1 `UNKNOWN`. `INET6` may hold plain IPv4 with `mixedTcp6` or `unmap`.
   */
  family: Family;
  /** Transport; `UNSPEC` for LOCAL and v1 `UNKNOWN`. */
  transport: Transport;
  /** The client; absent for LOCAL, UNKNOWN and UNSPEC. */
  source?: Address;
  /** The address that the client connected to. Absent if `source` is absent. */
  destination?: Address;
  /**
   * Offset in `raw` of the first TLV, in bytes; absent in v1. `tlv_start` and
   * `tlv_loc` have the names of the same fields in aiosmtpd.
   */
  tlv_start?: number;
  /**
   * v2: the bytes after the address block, whose length depends on the family.
   * v1 `UNKNOWN`: the bytes between that word and CRLF. A view of `raw`, made
   * when `rest` is first read, so copies of the info do not have it.
   */
  readonly rest: Uint8Array;
  /** The whole header as received; a view of the decoded bytes, not a copy. */
  raw: Uint8Array;
}

/**
 * A header for {@link encode}. A {@link ProxyInfo} is accepted. Two addresses
 * are enough.
 */
export interface ProxyHeader {
  /**
   * Version to write.
   *
   * @default {2}
   */
  version?: 1 | 2;
  /** Command. Defaults to `PROXY` when there are addresses, else to `LOCAL`. */
  command?: Command;
  /**
   * Address family. Defaults to that of the addresses. `UNSPEC` leaves them
   * out, `INET6` writes IPv4 as mapped IPv6.
   */
  family?: Family;
  /** Transport. Defaults to that of the addresses. `UNSPEC` leaves them out. */
  transport?: Transport;
  /** The client. */
  source?: Address;
  /** The address that the client connected to. */
  destination?: Address;
  /**
   * TLVs, in the order in which they are written. v1 has no TLVs, so they are
   * left out.
   */
  tlvs?: Tlvs | Iterable<RawTlv>;
  /**
   * The v2 header that a {@link ProxyInfo} was decoded from. Unchanged fields
   * are written as `raw` has them, with the order and the duplicates of the
   * TLVs. Changed or removed fields are written as the info has them.
   */
  raw?: Uint8Array;
  /**
   * The `tlv_loc` of a {@link ProxyInfo}. It identifies the names in `tlvs`
   * that the option `define` added, which are left out.
   */
  tlv_loc?: TlvLocations;
}

/**
 * Options of {@link decode} and {@link bytesNeeded}: what to accept, and
 * limits.
 */
export interface DecodeOptions<R extends TlvReader = TlvReader> {
  /**
   * `"ignore"` accepts a header whose CRC32C does not match (section 2.2.3).
   *
   * @default {"verify"}
   */
  checksum?: "verify" | "ignore";
  /**
   * `"lenient"` accepts stray bytes, a TLV that overruns the header and values
   * that do not fit their type. TLVs that cannot be read are left out. LOCAL
   * and UNSPEC headers are always read this way, because no address block says
   * where their TLVs begin.
   *
   * @default {"strict"}
   */
  tlvs?: "strict" | "lenient";
  /**
   * Readers made by {@link defineTlv}. Each adds its value to `info.tlvs` under
   * its name.
   *
   * @default {[]}
   */
  define?: readonly R[];
  /**
   * Accept a plain IPv4 address in a v1 `TCP6` line, which nginx and h2o send
   * for mixed families.
   *
   * @default {false}
   */
  mixedTcp6?: boolean;
  /**
   * Show `::ffff:192.0.2.1` as `192.0.2.1`, and the family as `INET` if that
   * leaves no IPv6 address. On a connection, `unmap` applies to each address
   * that is shown or sent, including the hop and direct peers.
   *
   * @default {false}
   */
  unmap?: boolean;
  /**
   * Versions to accept.
   *
   * @default {[1, 2]}
   */
  versions?: readonly (1 | 2)[];
  /**
   * Longest header to accept, in bytes. A header that announces a greater
   * length is rejected at once. A v1 line is never longer than 107 bytes.
   *
   * @default {4096}
   */
  maxLength?: number;
}

/** Options of {@link encode} and {@link encodeInto}; v1 has no checksum and no padding. */
export interface EncodeOptions {
  /**
   * Version to write, in place of the `version` of the header. A decoded header
   * has the version in which it was received.
   *
   * @default {undefined} that of the header
   */
  version?: 1 | 2;
  /**
   * `true` adds a CRC32C TLV if there is none. `false` leaves it out. An
   * existing CRC32C is always recomputed (section 2.2.3).
   *
   * @default {undefined} as the TLVs have it
   */
  checksum?: boolean;
  /**
   * Pad with a NOOP TLV until the header's length is a multiple of this many
   * bytes, 1 to 65551 (section 2.2.4).
   *
   * @default {1}
   */
  align?: number;
}
