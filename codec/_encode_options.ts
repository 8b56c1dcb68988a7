import { checkNames, checkOneOf, isLiteral } from "./_options.ts";
import { Info } from "./_info.ts";
import { quote } from "./_quote.ts";
import { LONGEST_HEADER } from "./_wire.ts";
import type { EncodeOptions, ProxyHeader, ProxyInfo } from "./types.ts";

/** Options as they are used: checked. */
export interface EncodeRules {
  /** `undefined` where the header says it. */
  readonly version: 1 | 2 | undefined;
  /** `undefined` where the TLVs say it. */
  readonly checksum: boolean | undefined;
  readonly align: number;
}

/** Rules of `encode` and its like if the caller gives no options. */
export const DEFAULT_RULES: EncodeRules = {
  version: undefined,
  checksum: undefined,
  align: 1,
};

/** Names of {@link EncodeOptions}. */
export const ENCODE_OPTIONS: readonly string[] = Object.keys(
  DEFAULT_RULES satisfies Record<keyof EncodeOptions, unknown>,
);

/** Names that a header to encode may have. A decoded one has more than are used. */
const HEADER_NAMES: readonly string[] = Object.keys(
  {
    version: "",
    command: "",
    family: "",
    transport: "",
    source: "",
    destination: "",
    tlvs: "",
    raw: "",
    rest: "",
    tlv_loc: "",
    tlv_start: "",
  } satisfies Record<keyof ProxyHeader | keyof ProxyInfo, "">,
);

const BOOLEANS = [true, false] as const;

/**
 * Checks options of `encode`, names included.
 *
 * @throws {TypeError} for an unknown name, or a value of the wrong kind.
 * @throws {RangeError} for a value out of its range.
 */
export function readEncodeOptions(options: EncodeOptions): EncodeRules {
  checkNames("options", options, ENCODE_OPTIONS);
  const { version, checksum, align = 1 } = options;
  if (version !== undefined) checkVersion(version);
  if (checksum !== undefined) checkOneOf("checksum", checksum, BOOLEANS);
  const isInRange = Number.isInteger(align) && align >= 1 &&
    align <= LONGEST_HEADER;
  if (!isInRange) {
    throw new (typeof align === "number" ? RangeError : TypeError)(
      `Cannot encode with align: must be 1 to ${LONGEST_HEADER}, received ${
        quote(align)
      }`,
    );
  }
  return { version, checksum, align };
}

/**
 * Checks that it is a header, and that all its names are known: of `src` and
 * `dst` nothing would be written.
 *
 * @throws {TypeError} when it is not.
 */
export function checkHeader(header: ProxyHeader): void {
  if (typeof header !== "object" || header === null) {
    throw new TypeError(
      `Cannot encode header: expected an object, received ${quote(header)}`,
    );
  }
  for (const name in header) {
    if (isUsual(name) || HEADER_NAMES.includes(name)) continue;
    return checkNames("header", header, HEADER_NAMES);
  }
  if (isLiteral(header) || header instanceof Info) return;
  checkNames("header", header, HEADER_NAMES);
}

/** Names of most headers. A switch needs a third of the 25 ns of a list. */
function isUsual(name: string): boolean {
  switch (name) {
    case "source":
    case "destination":
    case "version":
    case "tlvs":
    case "command":
    case "family":
    case "transport":
      return true;
    default:
      return false;
  }
}

/**
 * Checks a version to write.
 *
 * @throws {RangeError} when there is no such version.
 */
export function checkVersion(version: 1 | 2): void {
  if (version === 1 || version === 2) return;
  throw new RangeError(
    `Cannot encode version: must be 1 or 2, received ${quote(version)}`,
  );
}
