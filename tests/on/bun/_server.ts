/** The services by `./bun`. */

import {
  proxied,
  proxyHop,
  proxyInfo,
  ready,
  relay,
} from "../../../conn/bun.ts";
import { listen, type Socket } from "./_bun.ts";
import { KEY_PAIR } from "./_client.ts";
import { host } from "../_host.ts";
import { seeSocket } from "../_seen.ts";
import { farewell } from "../_service.ts";
import { openRelay } from "../node/_relay.ts";
import { utf8 } from "../../_bytes.ts";

/** What is still to be sent to a socket, and whether its end comes after that. */
interface Sending {
  chunks: Uint8Array[];
  /** How many bytes have come. */
  read: number;
  /** Whether reading was stopped here: elsewhere it must not have to be resumed. */
  isPaused: boolean;
  isEnding: boolean;
}

const SENDINGS = new WeakMap<Socket, Sending>();

function sendingOf(socket: Socket): Sending {
  const sending = SENDINGS.get(socket) ??
    { chunks: [], read: 0, isPaused: false, isEnding: false };
  SENDINGS.set(socket, sending);
  return sending;
}

function send(socket: Socket, chunk?: Uint8Array | string): void {
  const sending = sendingOf(socket);
  if (typeof chunk === "string") sending.chunks.push(utf8(chunk));
  else if (chunk !== undefined) sending.chunks.push(chunk);
  for (let [next] = sending.chunks; next; [next] = sending.chunks) {
    const taken = socket.write(next);
    // The peer has gone: Bun tells no end of a socket that is paused now.
    if (taken < 0) return socket.terminate();
    if (taken < next.length) {
      sending.chunks[0] = next.subarray(taken);
      sending.isPaused = true;
      socket.pause();
      return; // drain comes back here
    }
    sending.chunks.shift();
  }
  if (sending.isPaused) socket.resume();
  sending.isPaused = false;
  if (sending.isEnding) socket.end();
}

await host<Socket>(
  (socket) => seeSocket(socket, proxyHop(socket), proxyInfo(socket)),
  (service, hooks) => {
    const { relayTo: port, relaysPairs } = service;
    if (relaysPairs) return openRelay(service, hooks);
    const pass = async (socket: Socket, port: number) => {
      const target = { hostname: "127.0.0.1", port };
      const { sent, received, error } = await relay(socket, target, {
        send: 2,
      });
      hooks.onRelayed({ sent, received, hasFailed: error !== undefined });
    };
    const closing = new AbortController();
    const signals = [hooks.options.signal ?? [], closing.signal].flat();
    const socket = proxied<Socket>({
      binaryType: "uint8array",
      open(socket) {
        const { lazy } = service.options;
        hooks.onServed(socket, lazy ? ready(socket) : undefined);
        if (port !== undefined) return void pass(socket, port);
        const { remoteAddress = null, remotePort = null } = socket;
        const told = { hostname: remoteAddress, port: remotePort };
        send(socket, JSON.stringify(told) + "\n");
      },
      data(socket, payload) {
        sendingOf(socket).read += payload.length;
        send(socket, payload);
      },
      drain: (socket) => send(socket),
      end(socket) {
        const sending = sendingOf(socket);
        sending.isEnding = true;
        send(socket, service.watched ? farewell(sending.read) : undefined);
      },
    }, { ...hooks.options, signal: AbortSignal.any(signals) });
    const { hostname = "127.0.0.1", path, kind } = service;
    const listener = listen({
      ...(kind === "tls" && { tls: KEY_PAIR }),
      ...(path === undefined ? { hostname, port: 0 } : { unix: path }),
      allowHalfOpen: true,
      socket,
    });
    const { stats } = socket;
    const close = () => {
      listener.stop();
      closing.abort();
    };
    return { port: listener.port ?? 0, stats, close };
  },
);
