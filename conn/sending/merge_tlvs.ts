import { type RawTlv, TLV_TYPES } from "../../codec/mod.ts";
import type { RelayPlan } from "./read_options.ts";

/** The options that write TLVs of their own. */
type Additions = Pick<RelayPlan, "add" | "append" | "ifAbsent" | "uniqueId">;

/**
 * Returns the TLVs of a header: those passed on, and those of the options by
 * their rules. `add` replaces, `append` does not, `ifAbsent` gives way to both.
 */
export function mergeTlvs(
  passed: readonly RawTlv[],
  { add, append, ifAbsent, uniqueId }: Additions,
): RawTlv[] {
  const kept = passed.filter(({ type }) => !hasType(add, type));
  const present = [...kept, ...add, ...append];
  const missing = ifAbsent.filter(({ type }) =>
    !present.some((tlv) => tlv.type === type && !isEmptyId(tlv))
  );
  // An empty id that the options replace would be a second one.
  const tlvs = present
    .filter((tlv) => !isEmptyId(tlv) || !hasType(missing, tlv.type))
    .concat(missing);
  if (uniqueId) addUniqueId(tlvs);
  return tlvs;
}

function hasType(tlvs: readonly RawTlv[], type: number): boolean {
  return tlvs.some((tlv) => tlv.type === type);
}

/** Whether it is a UNIQUE_ID without a byte, which haproxy sends for none. */
function isEmptyId({ type, value }: RawTlv): boolean {
  return type === TLV_TYPES.UNIQUE_ID && value.length === 0;
}

/** Adds a random id (section 2.2.5) in place of an empty one, if there is no other. */
function addUniqueId(tlvs: RawTlv[]): void {
  const type = TLV_TYPES.UNIQUE_ID;
  if (tlvs.some((tlv) => tlv.type === type && !isEmptyId(tlv))) return;
  const value = new TextEncoder().encode(crypto.randomUUID());
  const empty = tlvs.findIndex(isEmptyId);
  tlvs.splice(empty < 0 ? tlvs.length : empty, empty < 0 ? 0 : 1, {
    type,
    value,
  });
}
