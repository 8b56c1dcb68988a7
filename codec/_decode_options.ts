import { checkNames, checkOneOf } from "./_options.ts";
import { quote } from "./_quote.ts";
import { DEFAULT_MAX_LENGTH } from "./_wire.ts";
import type { DecodeOptions, TlvReader } from "./types.ts";

const VERSIONS: readonly (1 | 2)[] = [1, 2];

const NO_READERS: readonly TlvReader[] = [];

/** Options of {@link decode} and its like if the caller gives none. */
export const DEFAULTS: DecodeOptions = {};

/** Names of {@link DecodeOptions}. */
export const DECODE_OPTIONS: readonly string[] = Object.keys(
  {
    checksum: "",
    tlvs: "",
    define: "",
    mixedTcp6: "",
    unmap: "",
    versions: "",
    maxLength: "",
  } satisfies Record<keyof DecodeOptions, "">,
);

/** Options as they are used: checked, defaults filled in. */
export type DecodeRules = Readonly<Required<DecodeOptions>>;

/**
 * Reads options of `decode`, each name once and wherever it comes from, which
 * may be a prototype. Other names are for the caller to check.
 *
 * @throws {TypeError} for an option of the wrong kind, with its name.
 * @throws {RangeError} for an option out of its range, with its name.
 */
export function readDecodeOptions(options: DecodeOptions): DecodeRules {
  const {
    checksum = "verify",
    tlvs = "strict",
    define = NO_READERS,
    mixedTcp6 = false,
    unmap = false,
    versions = VERSIONS,
    maxLength = DEFAULT_MAX_LENGTH,
  } = options;
  // To look into four lists takes a quarter of a decode.
  if (checksum !== "verify" && checksum !== "ignore") {
    checkOneOf("checksum", checksum, ["verify", "ignore"]);
  }
  if (tlvs !== "strict" && tlvs !== "lenient") {
    checkOneOf("tlvs", tlvs, ["strict", "lenient"]);
  }
  if (typeof mixedTcp6 !== "boolean") {
    checkOneOf("mixedTcp6", mixedTcp6, [true, false]);
  }
  if (typeof unmap !== "boolean") checkOneOf("unmap", unmap, [true, false]);
  if (!(maxLength > 0) || typeof maxLength !== "number") {
    throw new (typeof maxLength === "number" ? RangeError : TypeError)(
      `Cannot read maxLength: expected a number over 0, received ${
        quote(maxLength)
      }`,
    );
  }
  return {
    checksum,
    tlvs,
    define: define === NO_READERS ? define : readReaders(define),
    mixedTcp6,
    unmap,
    versions: versions === VERSIONS ? versions : readVersions(versions),
    maxLength,
  };
}

function readReaders(define: readonly TlvReader[]): readonly TlvReader[] {
  if (!Array.isArray(define)) {
    throw new TypeError(
      `Cannot read define: expected a list of what defineTlv() returns, received ${
        quote(define)
      }`,
    );
  }
  const readers: readonly TlvReader[] = [...define];
  const names = new Set<string>();
  for (const [i, reader] of readers.entries()) {
    if (typeof reader !== "function" || typeof reader.tlvName !== "string") {
      throw new TypeError(
        `Cannot read define[${i}]: expected what defineTlv() returns, received ${
          quote(reader)
        }`,
      );
    }
    if (names.has(reader.tlvName)) {
      throw new TypeError(
        `Cannot read define[${i}]: ${quote(reader.tlvName)} is there already`,
      );
    }
    names.add(reader.tlvName);
  }
  return readers;
}

function readVersions(versions: readonly (1 | 2)[]): readonly (1 | 2)[] {
  if (!Array.isArray(versions)) {
    throw new TypeError(
      `Cannot read versions: expected a list such as [1, 2], received ${
        quote(versions)
      }`,
    );
  }
  if (versions.length === 0) {
    throw new RangeError("Cannot read versions: must not be empty");
  }
  const list: readonly (1 | 2)[] = [...versions];
  for (const version of list) checkOneOf("versions", version, VERSIONS);
  return list;
}

/**
 * Checks options of `decode`, names included.
 *
 * @throws {TypeError} for an unknown name, or a value of the wrong kind.
 * @throws {RangeError} for a value out of its range.
 */
export function checkedDecodeOptions(options: DecodeOptions): DecodeRules {
  checkNames("options", options, DECODE_OPTIONS);
  return readDecodeOptions(options);
}
