import { EMPTY } from "../codec/_wire.ts";
import { type Ends, endsOf, toAddress } from "./_addresses.ts";
import { withinLimits } from "./_deadline.ts";
import { type Header, HeaderReader } from "./_header_reader.ts";
import { expectsHeader, type Policy } from "./_policy.ts";
import { toRefusal } from "./_refusal.ts";
import { verify } from "./_verify.ts";
import { closeQuietly, ProxiedConn } from "./proxied_conn.ts";
import type { Accepted, NativeConn } from "./types.ts";

const NO_HEADER: Header = { info: undefined, rest: EMPTY };

/**
 * Accepts one connection, which is `raw` to its user. Whatever goes wrong
 * closes it, once, and rejects with a {@link ProxyProtocolError} that names
 * the hop.
 */
export async function acceptNative<C>(
  native: NativeConn,
  raw: C,
  policy: Policy,
): Promise<Accepted<C>> {
  const hopAddr = toAddress(native.remoteAddr);
  const real = { remoteAddr: hopAddr, localAddr: toAddress(native.localAddr) };
  const reader = new HeaderReader(policy);
  try {
    const { info, rest } = expectsHeader(policy, hopAddr)
      ? await withinLimits(
        { ...policy, received: () => reader.received },
        () => readHeader(native, reader),
      )
      : NO_HEADER;
    const ends = endsOf(info, real, policy.header);
    const facts = { info, hopAddr, ...ends };
    const conn = new ProxiedConn(raw, native, facts, rest);
    if (ends !== real) showEnds(native, ends);
    const { verify: ask, signal } = policy;
    if (info !== undefined && ask !== undefined) {
      await verify(info, () => ask(info, conn), signal);
    }
    return { info, conn };
  } catch (error) {
    closeQuietly(native);
    throw toRefusal(error, hopAddr, reader.received);
  }
}

/** Reads exactly the header: never more than must still come. */
async function readHeader(
  native: NativeConn,
  reader: HeaderReader,
): Promise<Header> {
  for (;;) {
    const chunk = new Uint8Array(reader.needed);
    const count = await native.read(chunk);
    if (count === null) return reader.end();
    const header = reader.push(chunk.subarray(0, count));
    if (header !== undefined) return header;
  }
}

/** Makes the runtime's own object show the client, for calls that take nothing else. */
function showEnds(native: NativeConn, ends: Ends): void {
  for (const [name, value] of Object.entries(ends)) {
    Object.defineProperty(native, name, {
      value,
      enumerable: true,
      configurable: true,
    });
  }
}
