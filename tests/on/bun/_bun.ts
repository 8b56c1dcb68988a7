/** As much of Bun as the tests use: nothing else declares it in a check by Deno. */

import type { BunHandlers, BunPayload, BunSocket } from "../../../conn/bun.ts";

/** `Bun.Socket`. */
export interface Socket extends BunSocket {
  readonly remoteFamily?: string;
  readonly localFamily?: string;
  write(
    bytes: Uint8Array | ArrayBuffer | string,
    at?: number,
    count?: number,
  ): number;
  end(bytes?: Uint8Array | string): number;
  upgradeTLS(options: UpgradeOptions): [raw: Socket, tls: Socket] | undefined;
}

/** Certificate and key in PEM. */
export interface KeyPair {
  cert: string;
  key: string;
}

/** What `upgradeTLS` takes. */
export interface UpgradeOptions {
  tls: KeyPair;
  data?: unknown;
  socket: PlainHandlers;
}

/** The handlers of Bun itself: `open` is told of the socket alone. */
export interface PlainHandlers
  extends Omit<BunHandlers<Socket, BunPayload>, "open"> {
  open?(socket: Socket): unknown;
}

/** What `Bun.listen` and `Bun.connect` take. */
export interface ListenOptions {
  hostname?: string;
  port?: number;
  unix?: string;
  tls?: KeyPair & { requestCert?: boolean; ca?: string };
  allowHalfOpen?: boolean;
  data?: unknown;
  socket: PlainHandlers;
}

/** What `Bun.listen` gives. */
export interface Listener {
  readonly port: number;
  stop(closeActiveConnections?: boolean): void;
}

declare const Bun: {
  listen(options: ListenOptions): Listener;
  connect(options: ListenOptions): Promise<Socket>;
};

/** `Bun.listen`. */
export function listen(options: ListenOptions): Listener {
  return Bun.listen(options);
}

/** `Bun.connect`. */
export function connect(options: ListenOptions): Promise<Socket> {
  return Bun.connect(options);
}
