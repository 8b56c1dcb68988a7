import {
  checkNames,
  checkOneOf,
  isSslSubtype,
  quote,
  suggestion,
} from "../../codec/internal.ts";
import {
  encodeTlvs,
  type RawTlv,
  readTlvs,
  TLV_TYPES,
  tlvType,
} from "../../codec/mod.ts";
import { checkTimeout } from "../_checks.ts";
import type { RelayOptions } from "./types.ts";

/** {@link RelayOptions} as they are used: checked, and TLVs by their numbers. */
export interface RelayPlan {
  readonly send: 1 | 2 | undefined;
  /** `undefined` for all. */
  readonly keep: ReadonlySet<number> | undefined;
  readonly drop: ReadonlySet<number>;
  readonly add: readonly RawTlv[];
  readonly append: readonly RawTlv[];
  readonly ifAbsent: readonly RawTlv[];
  readonly uniqueId: boolean;
  readonly checksum?: boolean;
  /** In ms. */
  readonly halfOpenTimeout: number;
  /** In ms. */
  readonly idleTimeout: number;
  readonly signal: AbortSignal | undefined;
}

/** No TLVs, and no types of them: most relays have no such option. */
const NO_TLVS: readonly RawTlv[] = [];
const NO_TYPES: ReadonlySet<number> = new Set();

/** Names of {@link RelayOptions}. */
const RELAY_OPTIONS: readonly string[] = Object.keys(
  {
    send: "",
    keep: "",
    drop: "",
    add: "",
    append: "",
    ifAbsent: "",
    uniqueId: "",
    checksum: "",
    halfOpenTimeout: "",
    idleTimeout: "",
    signal: "",
  } satisfies Record<keyof RelayOptions, "">,
);

/**
 * Reads options, before anything is read or written.
 *
 * @throws {TypeError} for an unknown name, or a value of the wrong kind.
 * @throws {RangeError} for a value out of its range.
 */
export function readRelayOptions(options: RelayOptions): RelayPlan {
  checkNames("options", options, RELAY_OPTIONS);
  const { send, keep, drop, add, append, ifAbsent } = options;
  const { uniqueId, checksum, halfOpenTimeout, idleTimeout, signal } = options;
  if (send !== undefined) checkOneOf("send", send, [1, 2]);
  if (uniqueId !== undefined) checkOneOf("uniqueId", uniqueId, [true, false]);
  if (checksum !== undefined) checkOneOf("checksum", checksum, [true, false]);
  if (halfOpenTimeout !== undefined) {
    checkTimeout("halfOpenTimeout", halfOpenTimeout, 0);
  }
  if (idleTimeout !== undefined) checkTimeout("idleTimeout", idleTimeout, 1);
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw new TypeError(
      `Cannot read signal: expected an AbortSignal, received ${quote(signal)}`,
    );
  }
  return {
    send,
    keep: keep === undefined ? undefined : readTypes("keep", keep),
    drop: drop === undefined ? NO_TYPES : readTypes("drop", drop),
    add: rawTlvs(add),
    append: rawTlvs(append),
    ifAbsent: rawTlvs(ifAbsent),
    uniqueId: uniqueId ?? false,
    ...(checksum !== undefined && { checksum }),
    halfOpenTimeout: halfOpenTimeout ?? Infinity,
    idleTimeout: idleTimeout ?? Infinity,
    signal,
  };
}

function readTypes(
  option: string,
  names: readonly string[],
): ReadonlySet<number> {
  if (!Array.isArray(names)) {
    throw new TypeError(
      `Cannot read ${option}: expected a list of TLV names, received ${
        quote(names)
      }`,
    );
  }
  return new Set(names.map((name) => {
    const type = tlvType(name);
    if (type === undefined) {
      throw new TypeError(
        `Cannot read ${option}: unknown TLV ${quote(name)}${
          suggestion(`${name}`, Object.keys(TLV_TYPES))
        }`,
      );
    }
    if (isSslSubtype(type)) {
      throw new TypeError(`Cannot read ${option}: ${name} goes with SSL`);
    }
    return type;
  }));
}

function rawTlvs(given: RelayOptions["add"]): readonly RawTlv[] {
  return given === undefined ? NO_TLVS : [...readTlvs(encodeTlvs(given))];
}
