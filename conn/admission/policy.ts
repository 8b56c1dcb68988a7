import { EMPTY, quote } from "../../codec/internal.ts";
import {
  type Address,
  bytesNeeded,
  type DecodeOptions,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { checkOneOf, checkTimeout } from "../_checks.ts";
import type { GateOptions, HeaderOptions } from "../types.ts";
import { readTrust, type Trusts } from "./trust.ts";

/** One retransmit of TCP takes 3 s, which a deadline has to cover (section 2). */
const DEFAULT_TIMEOUT = 5000;

/** Bound of pending headers where the caller sets none. */
const DEFAULT_MAX_PENDING = 1024;

/** Options of every entry point; `verify` is called with its own kind of connection. */
export interface Options<C> extends HeaderOptions, GateOptions {
  lazy?: boolean;
  verify?: (info: ProxyInfo, conn: C) => boolean | Promise<boolean>;
}

/** Options as they are used: checked, defaults filled in. */
export interface Policy<C> {
  readonly trusts: Trusts;
  readonly untrusted: "reject" | "direct";
  readonly header: "require" | "optional" | "ignore";
  readonly lazy: boolean;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
  /** A method, for a connection of one kind is one of any kind that it fits. */
  verify?(info: ProxyInfo, conn: C): boolean | Promise<boolean>;
  readonly decode: DecodeOptions;
  readonly maxPending: number;
  readonly onReject: GateOptions["onReject"];
}

/**
 * Reads options once, so that a mistake shows before a peer comes: a name that
 * is misspelt too, or nobody would ask a `verfiy`. Those of a listener may be
 * given for a single connection.
 *
 * @throws {TypeError} for an option of the wrong kind, with its name.
 * @throws {RangeError} for an option out of its range, with its name.
 */
export function readOptions<C>(options: Options<C>): Policy<C> {
  const {
    trust,
    untrusted = "reject",
    header = "require",
    lazy = false,
    timeout = DEFAULT_TIMEOUT,
    signal,
    verify,
    maxPending = DEFAULT_MAX_PENDING,
    onReject,
    ...decode
  } = { ...options }; // a caller without types may give none
  checkOneOf("untrusted", untrusted, ["reject", "direct"]);
  checkOneOf("header", header, ["require", "optional", "ignore"]);
  checkOneOf("lazy", lazy, [true, false]);
  checkTimeout("timeout", timeout, 1);
  bytesNeeded(EMPTY, decode); // throws for a wrong option
  const {
    versions = [1, 2],
    checksum = "verify",
    tlvs = "strict",
    mixedTcp6 = false,
    unmap = false,
    maxLength: _, // read above
    ...others
  } = decode;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new TypeError(
      `Cannot read options: unknown option ${quote(unknown)}`,
    );
  }
  checkOneOf("checksum", checksum, ["verify", "ignore"]);
  checkOneOf("tlvs", tlvs, ["strict", "lenient"]);
  checkOneOf("mixedTcp6", mixedTcp6, [true, false]);
  checkOneOf("unmap", unmap, [true, false]);
  if (versions.length === 0) {
    throw new RangeError("Cannot read versions: must not be empty");
  }
  for (const version of versions) checkOneOf("versions", version, [1, 2]);
  if (!(maxPending >= 1)) {
    throw new RangeError(
      `Cannot read maxPending: must be at least 1, received ${maxPending}`,
    );
  }
  return {
    trusts: readTrust(trust),
    untrusted,
    header,
    lazy,
    timeout,
    signal,
    ...(verify && { verify }),
    decode,
    maxPending,
    onReject,
  };
}

/**
 * Passes on options where the runtime hands bytes out as they come: there is
 * nothing to be lazy about, and whoever asks for it should know.
 *
 * @throws {TypeError} for `lazy`.
 */
export function withoutLazy<T extends object>(options: T): T {
  if (!options || !("lazy" in options && options.lazy)) return options;
  throw new TypeError("Cannot read lazy: not for this runtime's sockets");
}

/**
 * Whether a header is to be read from a peer, or it is served directly.
 *
 * @throws {ProxyProtocolError} code `untrusted`, when it is neither.
 */
export function expectsHeader(
  policy: Pick<Policy<unknown>, "trusts" | "untrusted">,
  hop: Address,
): boolean {
  let isTrusted = false;
  let cause: unknown;
  try {
    isTrusted = policy.trusts(hop);
  } catch (error) {
    cause = error; // of the user's function: not a reason to trust
  }
  if (isTrusted) return true;
  if (policy.untrusted === "direct" && cause === undefined) return false;
  throw new ProxyProtocolError(
    `Cannot accept a PROXY header from ${describe(hop)}: not trusted`,
    "untrusted",
    { hop, cause },
  );
}

/** An address in a message. */
function describe(address: Address): string {
  return "path" in address
    ? `${address.transport}:${JSON.stringify(address.path)}`
    : `${address.hostname} port ${address.port}`;
}
