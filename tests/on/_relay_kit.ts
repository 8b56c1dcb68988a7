/** What the scenarios of `relay` share: backends, and connections through a relay. */

import assert from "node:assert/strict";
import { createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { createServer as createTlsServer } from "node:tls";
import type { ListenerOptions } from "../../conn/types.ts";
import type { RelayOptions, RelayResult } from "../../mod.ts";
import { Client, KEY_PAIR, Queue, within } from "./bun/_client.ts";

/** Where to relay to, in words of no runtime. */
export interface Target {
  port?: number;
  path?: string;
  /** The certificate that must be there, if any, and for which name. */
  tls?: { ca?: string; name?: string };
}

/** What a host is to do with its connections. */
export interface Relaying {
  /** Called for each connection. */
  target: () => Target;
  options: RelayOptions;
  accepting: Omit<Partial<ListenerOptions>, "verify"> & {
    verify?: () => Promise<boolean>;
  };
  /** Whether it listens for TLS, with the header inside. */
  isTls: boolean;
  /** Called right after each call of `relay`. */
  onCall: () => void;
  onResult: (result: RelayResult) => void;
  onThrown: (error: unknown) => void;
  /** How often each socket is relayed. */
  times: number;
}

/** A runtime's `relay` behind its `proxied`. */
export interface RelayHost {
  /** Begins the names of the scenarios. */
  name: string;
  /** Whether the runtime tells of a reset below TLS as of an end. */
  hearsNoTlsResets?: boolean;
  listen(
    relaying: Relaying,
  ): Promise<{ port: number; close(): Promise<void> | void }>;
}

/** What a relay dials. */
export interface Backend extends AsyncDisposable {
  target: Target;
  /** Its ends of the connections. */
  peers: Queue<Client>;
}

/** Listens with a server on a port of the system's choice, or a path. */
export async function backend(
  make: (onSocket: (socket: Socket) => void) => Server = plain,
  target: Target = {},
): Promise<Backend> {
  const peers = new Queue<Client>();
  const open = new Set<Socket>();
  const server = make((socket) => {
    open.add(socket);
    peers.add(new Client(socket));
  });
  // Of a handshake of TLS that fails, nothing else is closed.
  server.on("connection", (socket) => open.add(socket));
  const { promise, resolve } = Promise.withResolvers<void>();
  if (target.path === undefined) server.listen(0, "127.0.0.1", resolve);
  else server.listen(target.path, resolve);
  await promise;
  const address = server.address();
  return {
    peers,
    target: {
      ...target,
      ...(typeof address === "object" && address && { port: address.port }),
    },
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      await promise;
    },
  };
}

/** Makes a server of TCP. */
export function plain(onSocket: (socket: Socket) => void): Server {
  return createServer({ allowHalfOpen: true, noDelay: true }, onSocket);
}

/** A backend with TLS, and what a relay expects there. */
export function tlsBackend(
  tls: Target["tls"] = { ca: KEY_PAIR.cert, name: "localhost" },
): Promise<Backend> {
  return backend(
    (onSocket) =>
      createTlsServer({ ...KEY_PAIR, allowHalfOpen: true }, onSocket)
        .on("tlsClientError", () => {}),
    { tls },
  );
}

/** A relay under test, with what its calls give. */
export interface Relayed {
  port: number;
  peers: Queue<Client>;
  results: Queue<RelayResult>;
  /** What calls have thrown. */
  thrown: Queue<unknown>;
  /** A client that ends its directions one by one. */
  dial(first?: Uint8Array | string): Promise<Client>;
}

/** How a relay is set up, in which all has a default. */
export interface Setup extends Partial<Relaying> {
  back?: Backend;
}

/** Runs a relay while `work` runs. */
export async function relayingOn(
  host: RelayHost,
  work: (relayed: Relayed) => Promise<void>,
  { back, ...setup }: Setup = {},
): Promise<void> {
  await using own = await backend();
  const { target, peers } = back ?? own;
  const results = new Queue<RelayResult>();
  const thrown = new Queue<unknown>();
  const { port, close } = await host.listen({
    target: () => target,
    options: {},
    accepting: {},
    isTls: false,
    onCall: () => {},
    onResult: (result) => results.add(result),
    onThrown: (error) => thrown.add(error),
    times: 1,
    ...setup,
  });
  try {
    await work({
      port,
      peers,
      results,
      thrown,
      async dial(first) {
        const host = "127.0.0.1";
        const client = await Client.dial({ port, host, allowHalfOpen: true });
        if (first !== undefined) await client.send(first);
        return client;
      },
    });
  } finally {
    await close();
  }
}

/** How a connection ends, by what the system answers to a read. */
export function endOf(stream: Duplex): Promise<"end" | "reset"> {
  const { promise, resolve, reject } = Promise.withResolvers<"end" | "reset">();
  stream.on("end", () => resolve("end"));
  stream.on("error", (error) => {
    if ("code" in error && error.code === "ECONNRESET") resolve("reset");
    else reject(error);
  });
  return within(promise, "the end of a connection");
}

/** Waits until a writer's own buffer shrinks no more; how much the other side has taken. */
export async function stall(
  { stream }: Client,
  length: number,
): Promise<number> {
  let still = 0;
  for (let last = -1; still < 200;) {
    await setImmediate();
    const now = stream.writableLength;
    still = now === last ? still + 1 : 0;
    last = now;
  }
  return length - stream.writableLength;
}

/** Lets events happen that nothing tells of. */
export async function turns(count = 50): Promise<void> {
  for (let i = 0; i < count; i++) await setImmediate();
}

/** The code of an error of the system. */
export function codeOf(error: unknown): unknown {
  assert(error instanceof Error && "code" in error, `${error}`);
  return error.code;
}
