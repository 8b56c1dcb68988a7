import {
  checkNames,
  checkOneOf,
  checkPlain,
  DECODE_OPTIONS,
  type DecodeRules,
  EMPTY,
  quote,
  readDecodeOptions,
} from "../../codec/internal.ts";
import {
  type Address,
  bytesNeeded,
  type DecodeOptions,
  formatAddress,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { checkFunction, checkTimeout } from "../_checks.ts";
import type { ListenerOptions } from "../types.ts";
import { tellMistake } from "./tell.ts";
import { readTrust, readUntrusted, type Trusts } from "./trust.ts";

/** One retransmit of TCP takes 3 s, which a deadline has to cover (section 2). */
const DEFAULT_TIMEOUT = 5000;

/** Bound of pending headers where the caller sets none. */
const DEFAULT_MAX_PENDING = 1024;

/** Options of every entry point, and those that only some of them know. */
export interface Options<C> extends ListenerOptions<C> {
  /** Only of entry points that ask for it. */
  encrypted?: boolean;
}

/** Names of {@link Options} that some entry points know. */
type Special = "encrypted";

/** Names of {@link Options} that every entry point knows. */
const NAMES: readonly string[] = [
  ...Object.keys(
    {
      trust: 0,
      untrusted: 0,
      header: 0,
      lazy: 0,
      timeout: 0,
      signal: 0,
      verify: 0,
      maxPending: 0,
      onReject: 0,
    } satisfies Record<
      Exclude<keyof Options<never>, keyof DecodeOptions | Special>,
      0
    >,
  ),
  ...DECODE_OPTIONS,
];

/** Options as they are used: checked, defaults filled in. */
export interface Policy<C> {
  readonly trusts: Trusts;
  /** Which of the others are served directly. */
  readonly isDirect: Trusts;
  readonly header: "require" | "optional" | "discard";
  readonly lazy: boolean;
  /** Whether a connection is shown as encrypted if its header says that its client used TLS. */
  readonly encrypted: boolean;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  /** A method, for a connection of one kind is one of any kind that it fits. */
  verify?(info: ProxyInfo, conn: C): boolean | Promise<boolean>;
  readonly decode: DecodeRules;
  /** Of a header, in bytes. */
  readonly leastLength: number;
  readonly maxPending: number;
  readonly onReject: ListenerOptions["onReject"];
}

/**
 * Reads options once, so that a mistake shows before a peer comes: a misspelt
 * name too, or nobody would ask a `verfiy`. Those of a listener may be given for
 * a single connection. `special` are the names that the entry point knows
 * besides those of all.
 *
 * @throws {TypeError} for an option of the wrong kind, with its name.
 * @throws {RangeError} for an option out of its range, with its name.
 */
export function readOptions<C>(
  options: Options<C>,
  special: readonly Special[] = [],
): Policy<C> {
  checkNames("options", options, [...NAMES, ...special]);
  checkPlain("options", options);
  const {
    trust,
    untrusted = "reject",
    header = "require",
    lazy = false,
    encrypted = false,
    timeout = DEFAULT_TIMEOUT,
    signal,
    verify,
    maxPending = DEFAULT_MAX_PENDING,
    onReject = tellMistake,
  } = options;
  checkOneOf("header", header, ["require", "optional", "discard"]);
  checkOneOf("lazy", lazy, [true, false]);
  checkOneOf("encrypted", encrypted, [true, false]);
  checkTimeout("timeout", timeout, 1);
  checkFunction("verify", verify);
  checkFunction("onReject", onReject);
  if (typeof maxPending !== "number" || !(maxPending >= 1)) {
    throw new RangeError(
      `Cannot read maxPending: must be at least 1, received ${
        quote(maxPending)
      }`,
    );
  }
  const decode = readDecodeOptions(options);
  return {
    trusts: readTrust(trust),
    isDirect: readUntrusted(untrusted),
    header,
    lazy,
    encrypted,
    timeout,
    signal,
    ...(verify && { verify }),
    decode,
    leastLength: bytesNeeded(EMPTY, decode),
    maxPending,
    onReject,
  };
}

/**
 * Whether a header is to be read from a peer, or it is served directly. A
 * function of the user's that fails is no reason for either.
 *
 * @throws {ProxyProtocolError} code `untrusted`, when it is neither.
 */
export function expectsHeader(
  { trusts, isDirect }: Pick<Policy<unknown>, "trusts" | "isDirect">,
  hop: Address,
): boolean {
  let asked = "trust";
  let reason = "not trusted";
  let cause: unknown;
  try {
    if (trusts(hop)) return true;
    asked = "untrusted";
    if (isDirect(hop)) return false;
  } catch (error) {
    cause = error;
    reason = `the function ${asked} has failed: ${messageOf(error)}`;
  }
  const from = hop.hostname === ""
    ? "a peer without an address"
    : formatAddress(hop);
  throw new ProxyProtocolError(
    `Cannot accept a PROXY header from ${from}: ${reason}`,
    "untrusted",
    { hop, cause },
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
