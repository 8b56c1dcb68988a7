import { Socket } from "node:net";
import { EMPTY } from "../codec/_wire.ts";
import type { Address, ProxyInfo } from "../codec/mod.ts";
import { endsOf } from "./_addresses.ts";
import { type Header, HeaderReader } from "./_header_reader.ts";
import { remember } from "./_node_facts.ts";
import type { NodeAcceptOptions, NodeSocket } from "./_node_types.ts";
import { expectsHeader, type Policy } from "./_policy.ts";
import { toRefusal } from "./_refusal.ts";
import { showEnds } from "./_show_ends.ts";
import { verify } from "./_verify.ts";
import type { Waits } from "./_waits.ts";

/**
 * Takes the header off a socket. Whatever goes wrong destroys it and rejects
 * with a `ProxyProtocolError` that names the hop. Until {@link release} its
 * errors end nothing but itself.
 */
export async function acceptSocket<S extends NodeSocket>(
  socket: S,
  policy: Policy,
  waits: Waits,
  ask: NodeAcceptOptions<S>["verify"],
): Promise<ProxyInfo | undefined> {
  const hop = peerOf(socket);
  const reader = new HeaderReader(policy);
  socket.on("error", ignore);
  try {
    const info = expectsHeader(policy, hop)
      ? await waits.within(() => readHeader(socket, reader), reader)
      : undefined;
    const shown = endsOf(info, policy.header);
    remember(socket, { info, hop, shown });
    if (shown !== undefined) showEnds(socket, shown);
    if (info !== undefined && ask !== undefined) {
      await verify(info, () => ask(info, socket), waits);
    }
    if (socket.destroyed) throw new Error("closed");
    return info;
  } catch (error) {
    socket.destroy(); // what it says later is ignored
    throw toRefusal(error, hop, reader.received);
  }
}

/** Leaves the errors of a socket to whoever has taken it. */
export function release(socket: NodeSocket): void {
  socket.off("error", ignore);
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
async function readHeader(
  socket: NodeSocket,
  reader: HeaderReader,
): Promise<ProxyInfo | undefined> {
  if (socket.destroyed) throw new Error("closed");
  if (socket.readableEncoding) {
    throw new TypeError("the socket has an encoding");
  }
  const header = takeBuffered(socket, reader);
  if (header === undefined) return await awaitHeader(socket, reader);
  if (header.rest.length > 0) socket.unshift(header.rest);
  return header.info;
}

/**
 * Takes what is at hand; the caller gives back what is beyond the header. By
 * its length: `read()` would set off 'end' where the peer has ended its
 * direction with the header, and then nobody would hear it.
 */
function takeBuffered(
  socket: NodeSocket,
  reader: HeaderReader,
): Header | undefined {
  while (socket.readableLength > 0) {
    const header = take(socket.read(socket.readableLength), reader);
    if (header !== undefined) return header;
  }
  return hasEnded(socket) ? reader.end() : undefined;
}

/** Takes a chunk of the socket; `null` is its end. */
function take(chunk: unknown, reader: HeaderReader): Header | undefined {
  if (chunk === null) return reader.end();
  if (chunk instanceof Uint8Array) return reader.push(chunk);
  throw new TypeError("the socket gives no bytes");
}

/**
 * Takes what arrives where the runtime gives it to the stream: a listener of
 * `'readable'` would take a socket of Node through its states of flow.
 */
function awaitHeader(
  socket: NodeSocket,
  reader: HeaderReader,
): Promise<ProxyInfo | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<
    ProxyInfo | undefined
  >();
  const { push } = socket;
  let isWaiting = true;
  const ask = () => {
    if (isWaiting) socket.read(0);
  };
  const stop = () => {
    isWaiting = false;
    socket.push = push; // `delete` would make it slow in all that follows
    socket.off("close", close);
    socket.off("error", fail);
  };
  const fail = (error: unknown) => {
    stop();
    reject(error);
  };
  const close = () => fail(new Error("closed"));
  socket.on("close", close);
  socket.on("error", fail);
  socket.push = (chunk) => {
    let header: Header | undefined;
    try {
      header = take(chunk, reader);
    } catch (error) {
      fail(error);
      return false;
    }
    if (header === undefined) {
      queueMicrotask(ask);
    } else {
      stop();
      resolve(header.info);
    }
    // Be it nothing: until then the stream holds that it has asked already.
    const goesOn = push.call(socket, header?.rest ?? EMPTY);
    return chunk === null ? push.call(socket, null) : goesOn;
  };
  ask();
  return promise;
}

/** Before 'end' is emitted, after which nothing can be given back. */
function hasEnded(socket: object): boolean {
  const state: unknown = Reflect.get(socket, "_readableState");
  return typeof state === "object" && state !== null &&
    Reflect.get(state, "ended") === true;
}
