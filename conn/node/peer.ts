import { Socket } from "node:net";
import { EMPTY } from "../../codec/internal.ts";
import type {
  Address,
  ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { endsOf, tcpAddress } from "../_addresses.ts";
import type { Gate } from "../admission/gate.ts";
import {
  type Header,
  HeaderReader,
  NO_HEADER,
} from "../admission/header_reader.ts";
import { remember } from "./facts.ts";
import type { NodeAcceptOptions, NodeSocket } from "./types.ts";
import { expectsHeader } from "../admission/policy.ts";
import { toRefusal } from "../admission/refusal.ts";
import { showEnds } from "../_show_ends.ts";
import { verify } from "../admission/verify.ts";
import type { Waits } from "../admission/waits.ts";

/**
 * Takes the header off a socket and tells one of `accept` and `refuse`:
 * functions, since a chain of promises costs as much as the header. Whatever
 * goes wrong destroys the socket. Until {@link release} its errors end nothing
 * but itself.
 */
export function acceptSocket<S extends NodeSocket>(
  socket: S,
  hop: Address,
  { policy, waits }: Pick<Gate, "policy" | "waits">,
  ask: NodeAcceptOptions<S>["verify"],
  accept: (info: ProxyInfo | undefined) => void,
  refuse: (error: ProxyProtocolError) => void,
): void {
  const reader = new HeaderReader(policy);
  const fail = (error: unknown) => {
    socket.destroy(); // what it says later is ignored
    refuse(toRefusal(error, hop, reader.received));
  };
  const finish = (info: ProxyInfo | undefined) => {
    if (socket.destroyed) fail(new Error("closed"));
    else accept(info);
  };
  const proceed = (info: ProxyInfo | undefined) => {
    const shown = endsOf(info, policy.header);
    remember(socket, { info, hop, shown });
    if (shown !== undefined) showEnds(socket, shown);
    if (info === undefined || ask === undefined) return finish(info);
    verify(info, () => ask(info, socket), waits)
      .then(() => finish(info), fail);
  };
  socket.on("error", ignore);
  let header: Header | undefined = NO_HEADER;
  try {
    if (expectsHeader(policy, hop)) header = takeBuffered(socket, reader);
  } catch (error) {
    return fail(error);
  }
  if (header === undefined) awaitHeader(socket, reader, waits, proceed, fail);
  else proceed(header.info);
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
    : tcpAddress(remoteAddress, remotePort);
}

/**
 * Whether a socket without a peer's address is a UNIX one: a TCP connection
 * that was reset has none either, and what came before can still be read.
 */
function isUnix(socket: NodeSocket): boolean {
  return socket instanceof Socket && !socket.destroyed &&
    socket.localAddress === undefined;
}

/**
 * Takes the header from what is at hand, and gives back what is beyond it. By
 * its length: `read()` would set off 'end' where the peer has ended its
 * direction with the header, and then nobody would hear it.
 */
function takeBuffered(
  socket: NodeSocket,
  reader: HeaderReader,
): Header | undefined {
  if (socket.destroyed) throw new Error("closed");
  if (socket.readableEncoding) {
    throw new TypeError("the socket has an encoding");
  }
  let header: Header | undefined;
  while (header === undefined && socket.readableLength > 0) {
    header = take(socket.read(socket.readableLength), reader);
  }
  if (header === undefined && hasEnded(socket)) header = reader.end();
  if (header !== undefined && header.rest.length > 0) {
    socket.unshift(header.rest);
  }
  return header;
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
  waits: Waits,
  proceed: (info: ProxyInfo | undefined) => void,
  fail: (error: unknown) => void,
): void {
  const { push } = socket;
  let isWaiting = true;
  const ask = () => {
    if (isWaiting) socket.read(0);
  };
  const stop = () => {
    isWaiting = false;
    waits.end(wait);
    socket.push = push; // `delete` would make it slow in all that follows
    socket.off("close", close);
  };
  const giveUp = (error: unknown) => {
    stop();
    fail(error);
  };
  const close = () => giveUp(socket.errored ?? new Error("closed"));
  const wait = waits.begin(giveUp, reader);
  socket.on("close", close);
  socket.push = (chunk) => {
    let header: Header | undefined;
    try {
      header = take(chunk, reader);
    } catch (error) {
      giveUp(error);
      return false;
    }
    // Be it nothing: until then the stream holds that it has asked already.
    if (header === undefined) {
      queueMicrotask(ask);
      return push.call(socket, EMPTY);
    }
    stop();
    const { info, rest } = header;
    const goesOn = push.call(socket, rest);
    if (chunk === null) push.call(socket, null);
    // Whoever reads the handle itself must not do so while it is being read.
    queueMicrotask(() => proceed(info));
    return goesOn;
  };
  ask();
}

/** Before 'end' is emitted, after which nothing can be given back. */
function hasEnded(socket: object): boolean {
  const state: unknown = Reflect.get(socket, "_readableState");
  return typeof state === "object" && state !== null &&
    Reflect.get(state, "ended") === true;
}
