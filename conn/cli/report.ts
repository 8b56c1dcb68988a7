/** Reports on bytes that should be a header. */

import {
  bytesNeeded,
  decode,
  type DecodeOptions,
  isClientVerified,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import {
  hintOf,
  isChecksumRight,
  kindOf,
  LINE_SIGNATURE,
  LONGEST_HEADER,
  SIGNATURE,
} from "../../codec/internal.ts";
import { hexDump } from "./hex_dump.ts";
import { count, latin1, showStart, toJson } from "./show.ts";
import { table } from "./table.ts";

/** A flag of the command line, and what it sets. */
type Leniency = readonly [flag: string, options: DecodeOptions];

/** In the order in which they are tried. */
const LENIENCIES: readonly Leniency[] = [
  ["--checksum ignore", { checksum: "ignore" }],
  ["--tlvs lenient", { tlvs: "lenient" }],
  ["--mixed-tcp6", { mixedTcp6: true }],
  ["--versions 1,2", { versions: [1, 2] }],
  [`--max-length ${LONGEST_HEADER}`, { maxLength: LONGEST_HEADER }],
];

/** Result of decoding bytes. */
export type Outcome =
  | { kind: "header"; info: ProxyInfo }
  | { kind: "incomplete"; needed: number }
  | { kind: "refused"; error: ProxyProtocolError };

/** Decodes bytes. Never throws for their content. */
export function examine(bytes: Uint8Array, options: DecodeOptions): Outcome {
  try {
    const info = decode(bytes, options);
    return info === undefined
      ? { kind: "incomplete", needed: bytesNeeded(bytes, options) }
      : { kind: "header", info };
  } catch (error) {
    if (!(error instanceof ProxyProtocolError)) throw error;
    return { kind: "refused", error };
  }
}

/** For people. */
export function describe(
  bytes: Uint8Array,
  outcome: Outcome,
  options: DecodeOptions,
): string {
  switch (outcome.kind) {
    case "header":
      return describeHeader(bytes, outcome.info);
    case "incomplete":
      return describeIncomplete(bytes, outcome.needed);
    case "refused":
      return describeRefusal(bytes, outcome.error, options);
  }
}

function describeIncomplete(bytes: Uint8Array, needed: number): string {
  const text = latin1(bytes);
  return [
    `Incomplete: ${
      count(bytes.length, "byte")
    } received, at least ${needed} more needed`,
    ...(bytes.length > 0 ? [hexDump(bytes, bytes.length)] : []),
    ...(text.startsWith(LINE_SIGNATURE) && !text.endsWith("\r")
      ? [LINE_END_HINT]
      : []),
  ].join("\n\n");
}

function describeHeader(bytes: Uint8Array, info: ProxyInfo): string {
  const after = bytes.subarray(info.raw.length);
  const payload = after.length === 0 ? "" : `: ${showStart(after)}`;
  const { version, raw } = info;
  return `PROXY v${version} header, ${kindOf(info)}, ${
    count(raw.length, "byte")
  }\n\n${table(info)}\n\n${
    count(after.length, "byte")
  } after the header${payload}`;
}

/** Returns the place, the reason, and the option that would accept the header. */
function describeRefusal(
  bytes: Uint8Array,
  error: ProxyProtocolError,
  options: DecodeOptions,
): string {
  const parts = [
    `Refused (${error.code}): ${error.message}`,
    hexDump(bytes, error.offset),
    ...hints(bytes, error),
  ];
  for (const [flag, leniency] of LENIENCIES) {
    const outcome = examine(bytes, { ...options, ...leniency });
    if (outcome.kind !== "header") continue;
    parts.push(
      `With ${flag} it is accepted:`,
      describeHeader(bytes, outcome.info),
    );
    break;
  }
  return parts.join("\n\n");
}

/** Returns a hint on a frequent mistake in a line that is typed or made by a script. */
const LINE_END_HINT = "A line of version 1 ends with \\r\\n";

/** Returns hints on the kind of the bytes or the mistake, if it is recognised. */
function hints(bytes: Uint8Array, error: ProxyProtocolError): string[] {
  const text = latin1(bytes);
  if (error.code !== "signature") {
    const isLineFeed = error.version === 1 && text[error.offset] === "\n";
    return isLineFeed ? [LINE_END_HINT] : [];
  }
  const starts = [String.fromCharCode(...SIGNATURE), LINE_SIGNATURE];
  const start = starts.map((signature) => text.indexOf(signature))
    .find((at) => at > 0);
  if (start !== undefined) {
    return [
      `A signature begins at byte ${start}: --skip ${start} decodes from there`,
    ];
  }
  const hint = hintOf(bytes);
  return hint === undefined
    ? []
    : [`It looks like ${hint.what}: ${hint.meaning}`];
}

/** For machines: the info with its offsets, or what is wrong. */
export function outcomeJson(bytes: Uint8Array, outcome: Outcome): string {
  switch (outcome.kind) {
    case "header":
      return toJson({
        ...infoFields(outcome.info),
        bytesAfter: bytes.length - outcome.info.raw.length,
      }, 2);
    case "incomplete":
      return toJson(
        { incomplete: { received: bytes, needed: outcome.needed } },
        2,
      );
    case "refused":
      return toJson({ refused: errorFields(outcome.error) }, 2);
  }
}

/** An error as plain data. */
export function errorFields(error: ProxyProtocolError): object {
  const { code, message, offset, version, hint, received } = error;
  return { code, message, offset, version, hint, received };
}

/** Returns an info as plain data, with its computed values. */
export function infoFields(info: ProxyInfo): object {
  const isRight = isChecksumRight(info);
  return {
    ...info,
    rest: info.rest,
    ...(isRight !== undefined && { isChecksumRight: isRight }),
    ...(info.tlvs.SSL && { isClientVerified: isClientVerified(info) }),
  };
}
