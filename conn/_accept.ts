import { EMPTY } from "../codec/_wire.ts";
import {
  type Address,
  type ProxyInfo,
  ProxyProtocolError,
} from "../codec/mod.ts";
import { endsOf, toAddress } from "./_addresses.ts";
import { type Header, HeaderReader } from "./_header_reader.ts";
import { IGNORED } from "./_ignored.ts";
import { LazyConn, type Settled } from "./_lazy_conn.ts";
import { expectsHeader, type Policy } from "./_policy.ts";
import { toRefusal } from "./_refusal.ts";
import { verify } from "./_verify.ts";
import type { Waits } from "./_waits.ts";
import { closeQuietly, type ConnFacts, ProxiedConn } from "./proxied_conn.ts";
import type { NativeConn } from "./types.ts";

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

const NO_HEADER: Header = { info: undefined, rest: EMPTY };

/**
 * Accepts one connection, which is `raw` to its user. Whatever goes wrong
 * closes it, once, and rejects with a {@link ProxyProtocolError} that names
 * the hop; with `lazy` that may be later, in `ready`.
 */
export async function acceptNative<C>(
  native: NativeConn,
  raw: C,
  hopAddr: Address,
  policy: Policy,
  waits: Waits,
  timeout: number = policy.timeout,
): Promise<ProxiedConn<C>> {
  const reader = new HeaderReader(policy);
  const arrival: Arrival = { native, hopAddr, policy, waits, timeout, reader };
  try {
    const isExpected = expectsHeader(policy, hopAddr);
    if (isExpected && policy.lazy) {
      return new LazyConn(raw, native, factsOf(undefined, arrival), {
        read: () => settle(arrival),
        verify: async (facts) => {
          if (policy.verify === undefined) return;
          // One of its own: the other shows no claim before the answer.
          await ask(new ProxiedConn(raw, native, facts, EMPTY), arrival);
        },
        refuse: (error, isClosed) =>
          refusal(isClosed ? closedError() : error, arrival),
      });
    }
    const { info, rest } = isExpected ? await headerOf(arrival) : NO_HEADER;
    const conn = new ProxiedConn(raw, native, factsOf(info, arrival), rest);
    if (policy.verify !== undefined) await ask(conn, arrival);
    return conn;
  } catch (error) {
    throw refusal(error, arrival);
  }
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

/** Waits for the header. */
function headerOf(
  { native, waits, timeout, reader }: Arrival,
): Promise<Header> {
  return waits.within(() => readHeader(native, reader), reader, timeout);
}

/** Waits for the header of a connection that has been handed over. */
async function settle(arrival: Arrival): Promise<Settled> {
  const { info, rest } = await headerOf(arrival);
  return { facts: factsOf(info, arrival), rest };
}

function factsOf(
  info: ProxyInfo | undefined,
  { native, hopAddr, policy }: Arrival,
): ConnFacts {
  if (info !== undefined && policy.header === "ignore") IGNORED.add(info);
  // Not a getter in a literal: V8 keeps those, and what they reach, until a full
  // collection; a sixth of all that was allocated under load survived by it.
  const { remoteAddr, localAddr } = endsOf(info, policy.header) ?? {
    remoteAddr: hopAddr,
    localAddr: toAddress(native.localAddr),
  };
  return { info, hopAddr, remoteAddr, localAddr };
}

/** Asks the user's check, where there is one and a header to ask about. */
async function ask(
  conn: ProxiedConn,
  { policy, waits }: Arrival,
): Promise<void> {
  const { info } = conn;
  const { verify: check } = policy;
  if (info === undefined || check === undefined) return;
  await verify(info, () => check(info, conn), waits);
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
async function readHeader(
  native: NativeConn,
  reader: HeaderReader,
): Promise<Header> {
  for (;;) {
    const count = await native.read(reader.room);
    if (count === null) return reader.end();
    const header = reader.take(count);
    if (header !== undefined) return header;
  }
}
