import { EMPTY } from "../../codec/internal.ts";
import {
  type Address,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { endsOf, toAddress } from "../_addresses.ts";
import type { Gate } from "../admission/gate.ts";
import {
  type Header,
  HeaderReader,
  NO_HEADER,
} from "../admission/header_reader.ts";
import { LazyConn, type Settled } from "./lazy_conn.ts";
import { expectsHeader, type Policy } from "../admission/policy.ts";
import { toRefusal } from "../admission/refusal.ts";
import { verify } from "../admission/verify.ts";
import type { Waits } from "../admission/waits.ts";
import { closeQuietly, type ConnFacts, ProxiedConn } from "../proxied_conn.ts";
import type { NativeConn } from "../types.ts";

/** A connection that has just come. */
interface Arrival {
  readonly native: NativeConn;
  readonly hopAddr: Address;
  readonly policy: Policy;
  readonly waits: Waits;
  /** What is left of the deadline, in ms. */
  readonly timeout: number;
  readonly reader: HeaderReader;
}

/**
 * Accepts one connection, which is `raw` to its user, and tells one of `accept`
 * and `refuse`: functions, since a chain of promises costs more than the
 * header. Whatever goes wrong closes the connection, once, and the error names
 * the hop; with `lazy` that may be later, in `ready`.
 */
export function acceptNative<C>(
  native: NativeConn,
  raw: C,
  hopAddr: Address,
  { policy, waits }: Pick<Gate, "policy" | "waits">,
  accept: (conn: ProxiedConn<C>) => void,
  refuse: (error: ProxyProtocolError) => void,
  timeout: number = policy.timeout,
): void {
  const reader = new HeaderReader(policy);
  const arrival: Arrival = { native, hopAddr, policy, waits, timeout, reader };
  const fail = (error: unknown) => refuse(refusal(error, arrival));
  const proceed = ({ info, rest }: Header) => {
    let facts: ConnFacts;
    try {
      facts = factsOf(info, arrival);
    } catch (error) { // of a connection that is not the runtime's own
      return fail(error);
    }
    const conn = new ProxiedConn(raw, native, facts, rest);
    const { verify: check } = policy;
    if (check === undefined) accept(conn);
    else ask(conn, check, waits).then(() => accept(conn), fail);
  };
  try {
    if (!expectsHeader(policy, hopAddr)) proceed(NO_HEADER);
    else if (policy.lazy) accept(lazyConn(raw, arrival));
    else readHeader(arrival, proceed, fail);
  } catch (error) {
    fail(error);
  }
}

/** A connection that is handed over before its header is in. */
function lazyConn<C>(raw: C, arrival: Arrival): LazyConn<C> {
  const { native, policy: { verify: check }, waits } = arrival;
  return new LazyConn(raw, native, factsOf(undefined, arrival), {
    read: () => settle(arrival),
    verify: async (facts) => {
      if (check === undefined) return;
      // One of its own: the other shows no claim before the answer.
      await ask(new ProxiedConn(raw, native, facts, EMPTY), check, waits);
    },
    refuse: (error, isClosed) =>
      refusal(isClosed ? closedError() : error, arrival),
  });
}

/** The peer of a connection; one that does not say it is closed. */
export function hopOf(native: NativeConn): Address {
  try {
    return toAddress(native.remoteAddr);
  } catch (error) { // of a connection that is not the runtime's own
    closeQuietly(native);
    throw toRefusal(error, undefined, EMPTY);
  }
}

/** Waits for the header of a connection that has been handed over. */
async function settle(arrival: Arrival): Promise<Settled> {
  const { info, rest } = await new Promise<Header>((resolve, reject) =>
    readHeader(arrival, resolve, reject)
  );
  return { facts: factsOf(info, arrival), rest };
}

function factsOf(
  info: ProxyInfo | undefined,
  { native, hopAddr, policy }: Arrival,
): ConnFacts {
  // Not a getter in a literal: V8 keeps those, and what they reach, until a full
  // collection; a sixth of all that was allocated under load survived by it.
  const { remoteAddr, localAddr } = endsOf(info, policy.header) ?? {
    remoteAddr: hopAddr,
    localAddr: toAddress(native.localAddr),
  };
  return { info, hopAddr, remoteAddr, localAddr };
}

/** Asks the user's check, where there is a header to ask about. */
async function ask(
  conn: ProxiedConn,
  check: NonNullable<Policy["verify"]>,
  waits: Waits,
): Promise<void> {
  const { info } = conn;
  if (info !== undefined) await verify(info, () => check(info, conn), waits);
}

function refusal(
  error: unknown,
  { native, hopAddr, reader }: Arrival,
): ProxyProtocolError {
  closeQuietly(native);
  return toRefusal(error, hopAddr, reader.received);
}

/** Its user has closed a connection whose header had not come yet. */
function closedError(): ProxyProtocolError {
  return new ProxyProtocolError(
    "Cannot read PROXY header: the connection was closed before it came",
    "aborted",
  );
}

/** Reads exactly the header: never more than must still come. */
function readHeader(
  { native, waits, timeout, reader }: Arrival,
  accept: (header: Header) => void,
  refuse: (error: unknown) => void,
): void {
  const wait = waits.begin(refuse, reader, timeout);
  const fail = (error: unknown) => {
    if (waits.end(wait)) refuse(error);
  };
  const take = (count: number | null) => {
    let header: Header | undefined;
    try {
      header = count === null ? reader.end() : reader.take(count);
    } catch (error) {
      return fail(error);
    }
    if (header === undefined) read();
    else if (waits.end(wait)) accept(header);
  };
  const read = () => {
    try {
      native.read(reader.room).then(take, fail);
    } catch (error) { // of a connection that is not the runtime's own
      fail(error);
    }
  };
  read();
}
