import { checkNames } from "../_options.ts";
import { quote } from "../_quote.ts";
import type {
  LocatedTlv,
  TlvDefinition,
  TlvReader,
  TlvSource,
} from "../types.ts";
import { isSslPart, tlvType } from "./types.ts";
import { wholeTlvs } from "./read.ts";

/** What a name may be: of an option of `decode`, and of a property. */
const NAME_REGEXP = /^[A-Za-z]\w*$/;

/**
 * Defines a type of TLV that the specification does not name, with its reader
 * (section 2.2.8). Use the returned reader in two ways:
 *
 * - `decode(bytes, { define: [tenant] })`, and the same option of `accept` and
 *   `proxied`, adds the value to `info.tlvs` under the name, with its type. The
 *   bytes stay in `info.tlvs` as `xNN`, which is what {@link encode} writes.
 * - `tenant(info)` reads the value from any info, on any runtime.
 *
 * Several senders use the same type for different values: 0xE0 has eight known
 * meanings, 0xE1 four. So `read` must check the shape of the bytes, and return
 * `undefined` for any other shape. If several TLVs have the type, the last one
 * with the right shape counts. Sub-TLVs of SSL are not read.
 *
 * If a reader throws, the header is rejected with code `tlv`. With
 * `tlvs: "lenient"`, in a LOCAL header, and when called with an info, the value
 * is left out instead.
 *
 * @throws {TypeError} for an unknown name or a wrong value in the definition,
 * and for a `name` that `info.tlvs` already has.
 * @throws {RangeError} when `type` is not a whole number from 0 to 255.
 *
 * @example
 * ```ts
 * import { decode, defineTlv, encode } from "@edgewire/proxy-protocol/codec";
 *
 * const tenant = defineTlv({
 *   type: 0xe4,
 *   name: "TENANT",
 *   read: (value) => value.length === 2 ? value[0]! << 8 | value[1]! : undefined,
 * });
 *
 * const header = encode({
 *   source: { transport: "tcp", hostname: "192.0.2.1", port: 56324 },
 *   destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
 *   tlvs: { xE4: Uint8Array.of(1, 2) },
 * });
 * const info = decode(header, { define: [tenant] });
 * console.log(info?.tlvs.TENANT); // 258
 * ```
 */
export function defineTlv<const Name extends string, Value>(
  definition: TlvDefinition<Name, Value>,
): TlvReader<Name, Value> {
  checkNames("definition", definition, ["type", "name", "read"]);
  const { type, name } = definition;
  if (!Number.isInteger(type) || type < 0 || type > 0xff) {
    throw new (typeof type === "number" ? RangeError : TypeError)(
      `Cannot define a TLV: type must be 0 to 255, received ${quote(type)}`,
    );
  }
  if (typeof name !== "string" || !NAME_REGEXP.test(name)) {
    throw new TypeError(
      `Cannot define a TLV: expected a name of letters, digits and _, received ${
        quote(name)
      }`,
    );
  }
  if (tlvType(name) !== undefined || isSslPart(name)) {
    throw new TypeError(
      `Cannot define a TLV: ${quote(name)} is the name of another one`,
    );
  }
  if (typeof definition.read !== "function") {
    throw new TypeError(
      `Cannot define a TLV: expected a function to read it, received ${
        quote(definition.read)
      }`,
    );
  }
  const read = (value: Uint8Array) => definition.read(value);
  const reader = (info: TlvSource): Value | undefined => {
    let found: Value | undefined;
    for (const tlv of wholeTlvs(restOf(info))) {
      if (tlv.type === type) found = readOrNothing(read, tlv) ?? found;
    }
    return found;
  };
  return Object.assign(reader, { type, tlvName: name, read });
}

function readOrNothing<Value>(
  read: (value: Uint8Array) => Value | undefined,
  { value }: LocatedTlv,
): Value | undefined {
  try {
    return read(value);
  } catch {
    return undefined;
  }
}

/** The bytes of the TLVs of an info; a copy of one has no `rest`. */
function restOf(
  { version, rest, raw, tlv_start }: TlvSource,
): Uint8Array {
  if (version === 1) return new Uint8Array(0);
  return rest ?? raw?.subarray(tlv_start) ?? new Uint8Array(0);
}
