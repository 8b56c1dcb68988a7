/** Members of Bun that the server needs. */

import type { BunProxiedHandlers, BunSocket } from "../types.ts";
import type { BunPlainServer } from "./types.ts";

/** Server that `Bun.serve` returns. */
export interface NativeServer extends BunPlainServer {
  upgrade(request: Request, ...options: unknown[]): boolean;
}

/** Listener that `Bun.listen` returns. */
export interface NativeListener {
  readonly port: number;
  /** Says where it listens. */
  getsockname(into: object): void;
  stop(closesActive?: boolean): void;
  ref(): void;
  unref(): void;
}

/** A socket of `Bun.listen` or `Bun.connect` with its data. */
export interface NativeSocket<D> extends BunSocket {
  data: D;
  ref(): void;
  unref(): void;
}

/** What is called of a connection to the inner server. */
export interface DialEvents {
  opened(target: NativeSocket<DialEvents>): void;
  received(payload: Uint8Array): void;
  drained(): void;
  ended(): void;
  closed(error: Error | undefined): void;
}

/** Handlers for `Bun.connect`. */
export interface DialHandlers {
  open(socket: NativeSocket<DialEvents>): void;
  data(socket: NativeSocket<DialEvents>, payload: Uint8Array): void;
  drain(socket: NativeSocket<DialEvents>): void;
  end(socket: NativeSocket<DialEvents>): void;
  close(socket: NativeSocket<DialEvents>, error?: Error): void;
}

/** As in the options of `Bun.listen`. */
export type ListenPlace =
  | { readonly unix: string }
  | {
    readonly hostname: string;
    readonly port: unknown;
    readonly reusePort?: unknown;
    readonly ipv6Only?: unknown;
  };

/** What is called of the runtime. */
interface Runtime {
  serve<S extends object>(options: object): S;
  listen<S extends BunSocket>(
    options: ListenPlace & {
      allowHalfOpen: boolean;
      socket: Omit<BunProxiedHandlers<S>, "stats">;
    },
  ): NativeListener;
  connect(options: {
    hostname: string;
    port: number;
    allowHalfOpen: boolean;
    data: DialEvents;
    socket: DialHandlers;
  }): Promise<unknown>;
  readonly hash: { xxHash64(bytes: Uint8Array): bigint };
}

declare const Bun: Runtime;

/** Original functions of Bun. A program may replace `Bun.serve` by `serveHttp` later. */
const LOADED: Runtime | undefined = typeof Bun === "undefined" ? undefined : {
  serve: Bun.serve,
  listen: Bun.listen,
  connect: Bun.connect,
  hash: Bun.hash,
};

/** Property with the functions of the first load. `--hot` loads this module again. */
const NATIVE: unique symbol = Symbol.for(
  "@edgewire/proxy-protocol/bun native",
);

interface Holder {
  [NATIVE]?: Runtime;
}

const holder: typeof globalThis & Holder = globalThis;

/** @throws {TypeError} on another runtime. */
export function bun(): Runtime {
  if (LOADED === undefined) {
    throw new TypeError("Cannot serve: serveHttp() of ./bun needs Bun");
  }
  return holder[NATIVE] ??= LOADED;
}
