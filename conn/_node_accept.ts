import { Socket } from "node:net";
import { setImmediate } from "node:timers";
import type { Address, ProxyInfo } from "../codec/mod.ts";
import { endsOf } from "./_addresses.ts";
import { withinLimits } from "./_deadline.ts";
import { type Header, HeaderReader } from "./_header_reader.ts";
import { remember } from "./_node_facts.ts";
import type { NodeAcceptOptions, NodeSocket } from "./_node_types.ts";
import { expectsHeader, type Policy } from "./_policy.ts";
import { toRefusal } from "./_refusal.ts";
import { showEnds } from "./_show_ends.ts";
import { verify } from "./_verify.ts";

/**
 * How many bytes to take where fewer are needed: most headers in one go, and
 * no more of the payload than is cheap to keep with the header.
 */
const LOOKAHEAD = 128;

/**
 * Takes the header off a socket. Whatever goes wrong destroys it and rejects
 * with a `ProxyProtocolError` that names the hop.
 */
export async function acceptSocket<S extends NodeSocket>(
  socket: S,
  policy: Policy,
  ask: NodeAcceptOptions<S>["verify"],
): Promise<ProxyInfo | undefined> {
  const hop = peerOf(socket);
  const reader = new HeaderReader(policy);
  socket.on("error", ignore);
  try {
    const info = expectsHeader(policy, hop)
      ? await withinLimits(
        { ...policy, received: () => reader.received },
        () => readHeader(socket, reader),
      )
      : undefined;
    const shown = endsOf(info, undefined, policy.header);
    remember(socket, { info, hop, shown });
    if (shown !== undefined) showEnds(socket, shown);
    if (info !== undefined && ask !== undefined) {
      await verify(info, () => ask(info, socket), policy.signal);
    }
    if (socket.destroyed) throw new Error("closed");
    // Whoever takes the socket now listens by then.
    setImmediate(() => socket.off("error", ignore));
    return info;
  } catch (error) {
    socket.destroy(); // what it says later is ignored
    throw toRefusal(error, hop, reader.received);
  }
}

function ignore(): void {}

/** The peer, as of now: a socket forgets it when it is closed. */
export function peerOf(socket: NodeSocket): Address {
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined && isUnix(socket)
    ? { transport: "unix", path: "" }
    : toTcp(remoteAddress, remotePort);
}

/**
 * Whether a socket without a peer's address is a UNIX one: a TCP connection
 * that was reset has none either, and what came before can still be read.
 */
function isUnix(socket: NodeSocket): boolean {
  return socket instanceof Socket && !socket.destroyed &&
    socket.localAddress === undefined;
}

function toTcp(hostname = "", port = 0): Address {
  return { transport: "tcp", hostname, port };
}

/** Reads the header. What came with it stays in the socket, or goes back there. */
function readHeader(
  socket: NodeSocket,
  reader: HeaderReader,
): Promise<ProxyInfo | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<
    ProxyInfo | undefined
  >();
  const listeners = {
    readable: () => step(() => takeHeader(socket, reader)),
    end: () => step(() => reader.end()),
    close: () => step(() => fail(new Error("closed"))),
    error: (error: unknown) => step(() => fail(error)),
  };
  // At once, and not when the promise is heard: 'end' or more may come before.
  const stop = () => {
    for (const [event, listener] of Object.entries(listeners)) {
      socket.off(event, listener);
    }
  };
  const step = (work: () => Header | undefined) => {
    try {
      const header = work();
      if (header === undefined) return;
      stop();
      if (header.rest.length > 0) socket.unshift(header.rest);
      resolve(header.info);
    } catch (error) {
      stop();
      reject(error);
    }
  };
  if (socket.destroyed) {
    reject(new Error("closed"));
    return promise;
  }
  for (const [event, listener] of Object.entries(listeners)) {
    socket.on(event, listener);
  }
  listeners.readable();
  return promise;
}

function fail(error: unknown): never {
  throw error;
}

/**
 * Takes what is at hand, up to the end of the header and a little more, which
 * the caller gives back. Asking for all of it by `read()` would set off 'end'
 * where the peer has ended its direction with the header, and then nobody
 * would hear it.
 */
function takeHeader(
  socket: NodeSocket,
  reader: HeaderReader,
): Header | undefined {
  while (socket.readableLength > 0) {
    const most = Math.max(reader.needed, LOOKAHEAD);
    const chunk = socket.read(Math.min(most, socket.readableLength));
    if (!(chunk instanceof Uint8Array)) {
      throw new TypeError("the socket has an encoding");
    }
    const header = reader.push(chunk);
    if (header !== undefined) return header;
  }
  return hasEnded(socket) ? reader.end() : undefined;
}

/** Before 'end' is emitted, after which nothing can be given back. */
function hasEnded(socket: object): boolean {
  const state: unknown = Reflect.get(socket, "_readableState");
  return typeof state === "object" && state !== null &&
    Reflect.get(state, "ended") === true;
}
