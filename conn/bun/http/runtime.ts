/** As much of Bun as the server needs. */

import type { BunProxiedHandlers, BunRelaySocket } from "../types.ts";
import type { BunPlainServer } from "./types.ts";

/** What `Bun.serve` gives, by whatever name its type has. */
export interface NativeServer extends BunPlainServer {
  upgrade(request: Request, ...options: unknown[]): boolean;
}

/** What `Bun.listen` gives. */
export interface NativeListener {
  readonly port: number;
  /** Says where it listens. */
  getsockname(into: object): void;
  stop(closesActive?: boolean): void;
  ref(): void;
  unref(): void;
}

/** A socket of `Bun.listen` or `Bun.connect` with its data. */
export interface NativeSocket<D> extends BunRelaySocket {
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

/** As `Bun.listen` takes it. */
export type ListenPlace =
  | { readonly unix: string }
  | {
    readonly hostname: string;
    readonly port: unknown;
    readonly reusePort?: unknown;
    readonly ipv6Only?: unknown;
  };

declare const Bun: {
  serve<S extends object>(options: object): S;
  listen<S extends BunRelaySocket>(
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
  hash: { xxHash64(bytes: Uint8Array): bigint };
};

/** The runtime; an error that names it on another one. */
export function bun(): typeof Bun {
  if (typeof Bun === "undefined") {
    throw new TypeError("Cannot serve: serveHttp() of ./bun needs Bun");
  }
  return Bun;
}
