import {
  type Address,
  formatAddress,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";

/** A peer that closed before its first byte, as TCP health checks do. */
export function emptyError(cause?: unknown): ProxyProtocolError {
  return new ProxyProtocolError(
    "Cannot read PROXY header: connection closed without a byte",
    "empty",
    { cause },
  );
}

/** A header that `verify` did not accept. */
export function verifyError(
  { version, raw }: ProxyInfo,
  cause: unknown,
): ProxyProtocolError {
  return new ProxyProtocolError(
    "Cannot accept the connection: rejected by verify",
    "verify",
    { version, received: raw, cause },
  );
}

/** A connection that has waited longest when one too many came. */
export function overloadError(maxPending: number): ProxyProtocolError {
  return new ProxyProtocolError(
    `Cannot accept the connection: it waited longest when more than ${maxPending} were pending`,
    "overload",
  );
}

/** Any failure as the one error, with what had come; its message names the hop, unless it has one already. */
export function toRefusal(
  error: unknown,
  hop?: Address,
  received?: Uint8Array,
): ProxyProtocolError {
  const refusal = error instanceof ProxyProtocolError
    ? error
    // Checks of haproxy end with a reset, which may overtake what they sent.
    : isPeerGone(error) && received?.length === 0
    ? emptyError(error)
    : failure(error, received);
  if (hop !== undefined && refusal.hop === undefined) nameHop(refusal, hop);
  return refusal;
}

/** Says in a message of the form `what: why` whom it came from. */
function nameHop(error: ProxyProtocolError, hop: Address): void {
  error.hop = hop;
  if (lostAddress(hop) !== undefined) return;
  const from = hop.path === "" ? "a UNIX socket" : formatAddress(hop);
  error.message = error.message.replace(": ", () => ` from ${from}: `);
  // It is printed in place of the message, and its frames are of the codec.
  error.stack = `${error.name}: ${error.message}`;
}

function failure(
  error: unknown,
  received: Uint8Array | undefined,
): ProxyProtocolError {
  const message = error instanceof Error ? error.message : String(error);
  const reason = isPeerGone(error) ? "the peer has reset it" : message;
  return new ProxyProtocolError(
    `Cannot accept the connection: ${reason}`,
    "io",
    {
      cause: error,
      ...(received && { offset: received.length, received }),
    },
  );
}

/** The last of each after a reset that followed the peer's end. */
const GONE_NAMES = [
  ...["ConnectionReset", "ConnectionAborted", "NotConnected", "BrokenPipe"],
];
const GONE_CODES: unknown[] = [
  ...["ECONNRESET", "ECONNABORTED", "ENOTCONN", "EPIPE"],
];

/** What workerd says, whose errors have neither a name nor a code. */
const GONE_MESSAGE = "Network connection lost.";

/** Whether the peer has reset the connection, as the runtimes say it. */
export function isPeerGone(error: unknown): boolean {
  return error instanceof Error &&
    (GONE_NAMES.includes(error.name) || error.message === GONE_MESSAGE ||
      ("code" in error && GONE_CODES.includes(error.code)));
}

/** A reset that a runtime reports by something else than an error. */
export function resetError(): Error {
  return Object.assign(new Error("reset by the peer"), { code: "ECONNRESET" });
}

/** Why a socket of TCP has no address: the peer has reset the connection. */
export function lostAddress(hop: Address): Error | undefined {
  return "path" in hop || hop.hostname !== "" ? undefined : resetError();
}
