import { EMPTY } from "../codec/_wire.ts";
import type { Address } from "../codec/mod.ts";
import { endsOf, toAddress } from "./_addresses.ts";
import { type Header, HeaderReader } from "./_header_reader.ts";
import { expectsHeader, type Policy } from "./_policy.ts";
import { toRefusal } from "./_refusal.ts";
import { verify } from "./_verify.ts";
import type { Waits } from "./_waits.ts";
import { closeQuietly, ProxiedConn } from "./proxied_conn.ts";
import type { NativeConn } from "./types.ts";

const NO_HEADER: Header = { info: undefined, rest: EMPTY };

/**
 * Accepts one connection, which is `raw` to its user. Whatever goes wrong
 * closes it, once, and rejects with a {@link ProxyProtocolError} that names
 * the hop.
 */
export async function acceptNative<C>(
  native: NativeConn,
  raw: C,
  hopAddr: Address,
  policy: Policy,
  waits: Waits,
): Promise<ProxiedConn<C>> {
  const reader = new HeaderReader(policy);
  try {
    const { info, rest } = expectsHeader(policy, hopAddr)
      ? await waits.within(() => readHeader(native, reader), reader)
      : NO_HEADER;
    const real = {
      remoteAddr: hopAddr,
      get localAddr() { // asked for only where it is shown
        return toAddress(native.localAddr);
      },
    };
    const { remoteAddr, localAddr } = endsOf(info, real, policy.header);
    const facts = { info, hopAddr, remoteAddr, localAddr };
    const conn = new ProxiedConn(raw, native, facts, rest);
    const { verify: ask } = policy;
    if (info !== undefined && ask !== undefined) {
      await verify(info, () => ask(info, conn), waits);
    }
    return conn;
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
    const count = await native.read(reader.room);
    if (count === null) return reader.end();
    const header = reader.take(count);
    if (header !== undefined) return header;
  }
}
