/** What the scenarios for Bun share: headers and listeners. */

import {
  type BunHandlers,
  type BunListenerOptions,
  type BunPayload,
  type BunProxiedHandlers,
  proxied,
  proxyHop,
  type ProxyInfo,
  type ProxyProtocolError,
} from "../../../conn/bun.ts";
import { encode, type ProxyHeader } from "../../../mod.ts";
import {
  listen,
  type ListenOptions,
  type PlainHandlers,
  type Socket,
} from "./_bun.ts";
import { type Client, Queue } from "./_client.ts";

/** Who the listeners believe. */
export const TRUST = ["127.0.0.1"];

/** Two addresses from the ranges for documentation. */
export const CLIENT = {
  source: { transport: "tcp", hostname: "192.0.2.1", port: 1111 },
  destination: { transport: "tcp", hostname: "198.51.100.1", port: 2222 },
} as const satisfies ProxyHeader;

/** A v2 header for {@link CLIENT}. */
export const HEADER: Uint8Array = encode(CLIENT);

/** What a socket shows that came with {@link HEADER}. */
export const SHOWN = {
  remoteAddress: "192.0.2.1",
  remotePort: 1111,
  remoteFamily: "IPv4",
  localAddress: "198.51.100.1",
  localPort: 2222,
  localFamily: "IPv4",
};

/** What a socket shows. */
export function shown(socket: Socket): Record<string, unknown> {
  const { remoteAddress, remotePort, remoteFamily } = socket;
  const { localAddress, localPort, localFamily } = socket;
  return {
    ...{ remoteAddress, remotePort, remoteFamily },
    ...{ localAddress, localPort, localFamily },
  };
}

/** A chunk as bytes, whatever its class. */
export function toBytes(payload: BunPayload): Uint8Array {
  return payload instanceof ArrayBuffer ? new Uint8Array(payload) : payload;
}

/** What `proxied` takes, as a test writes it. */
export type Handlers = BunHandlers<Socket, BunPayload>;
export type Options = Partial<BunListenerOptions<Socket>>;

/** A proxied listener under test. */
export interface Served {
  port: number;
  stats: BunProxiedHandlers["stats"];
  /** What was reported. */
  rejects: Queue<ProxyProtocolError>;
  /** Waits until the listener has handled one more chunk of a client. */
  arrival(client: Client): Promise<number>;
}

/** Runs a proxied listener while `work` runs. */
export async function serving(
  handlers: Handlers,
  work: (served: Served) => Promise<void>,
  options: Options = {},
  listenOptions: Partial<ListenOptions> = {},
): Promise<void> {
  const rejects = new Queue<ProxyProtocolError>();
  const arrivals = new Map<number, Queue<number>>();
  const arrivalsOf = (port = 0) => {
    const queue = arrivals.get(port) ?? new Queue();
    arrivals.set(port, queue);
    return queue;
  };
  const wrapped = proxied(handlers, {
    trust: TRUST,
    onReject: (error) => rejects.add(error),
    ...options,
  });
  const socket: PlainHandlers = {
    ...wrapped,
    data(socket, payload) {
      const hop = proxyHop(socket); // which a refusal forgets
      wrapped.data(socket, payload);
      const port = hop !== undefined && "port" in hop ? hop.port : 0;
      arrivalsOf(port).add(payload.byteLength);
    },
  };
  const listener = listen({
    ...("unix" in listenOptions ? {} : { hostname: "127.0.0.1", port: 0 }),
    ...listenOptions,
    socket,
  });
  try {
    const { port } = listener;
    await work({
      port,
      stats: wrapped.stats,
      rejects,
      arrival: (client) =>
        arrivalsOf(client.port).next("a chunk to be handled"),
    });
  } finally {
    listener.stop(true);
  }
}

/** Handlers that send everything back, with backpressure. */
export function echo(
  onOpen: (socket: Socket, info: ProxyInfo | undefined) => void = () => {},
): Handlers {
  const unsent = new WeakMap<Socket, Uint8Array[]>();
  const flush = (socket: Socket) => {
    const chunks = unsent.get(socket) ?? [];
    for (let chunk = chunks[0]; chunk; chunk = chunks[0]) {
      const written = socket.write(chunk);
      // The peer is gone: Bun does not report it for a socket that is paused.
      if (written < 0) return socket.terminate();
      if (written < chunk.length) {
        chunks[0] = chunk.subarray(written);
        return;
      }
      chunks.shift();
    }
    socket.resume();
  };
  return {
    open(socket, info) {
      unsent.set(socket, []);
      onOpen(socket, info);
    },
    data(socket, payload) {
      unsent.get(socket)?.push(toBytes(payload));
      socket.pause();
      flush(socket);
    },
    drain: flush,
  };
}
