import {
  encodeTlvs,
  type RawTlv,
  readTlvs,
  TLV_TYPES,
} from "../../codec/mod.ts";
import type { RelayOptions } from "./types.ts";

/** The options that write TLVs of their own. */
type Additions = Pick<RelayOptions, "add" | "append" | "ifAbsent">;

/**
 * Returns the TLVs of a header: those passed on, and those of the options by
 * their rules. `add` replaces, `append` does not, `ifAbsent` gives way to both.
 *
 * @throws {TypeError} for a TLV in the options that cannot be written.
 * @throws {RangeError} for a value in the options out of its range.
 */
export function mergeTlvs(
  passed: readonly RawTlv[],
  { add, append, ifAbsent }: Additions,
): RawTlv[] {
  const added = rawTlvs(add);
  const kept = passed.filter(({ type }) => !hasType(added, type));
  const present = [...kept, ...added, ...rawTlvs(append)];
  const missing = rawTlvs(ifAbsent).filter(({ type }) =>
    !present.some((tlv) => tlv.type === type && !isEmptyId(tlv))
  );
  // An empty id that the options replace would be a second one.
  return present.filter((tlv) => !isEmptyId(tlv) || !hasType(missing, tlv.type))
    .concat(missing);
}

/** Whether it is a UNIQUE_ID without a byte, which haproxy sends for none. */
export function isEmptyId({ type, value }: RawTlv): boolean {
  return type === TLV_TYPES.UNIQUE_ID && value.length === 0;
}

function hasType(tlvs: readonly RawTlv[], type: number): boolean {
  return tlvs.some((tlv) => tlv.type === type);
}

function rawTlvs(given: RelayOptions["add"]): RawTlv[] {
  return given === undefined ? [] : [...readTlvs(encodeTlvs(given))];
}
