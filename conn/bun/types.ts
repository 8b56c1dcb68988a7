import type { ProxyInfo } from "../../codec/mod.ts";
import type { ListenerOptions, ListenerStats } from "../types.ts";

/** What a socket of `Bun.listen` has to have; `Bun.Socket` is one. */
export interface BunSocket {
  /** Belongs to the application. */
  data: unknown;
  /** Address of the peer; absent for UNIX sockets. */
  readonly remoteAddress?: string | undefined;
  /** Port of the peer. */
  readonly remotePort?: number | undefined;
  /** Address of this end; absent for UNIX sockets. */
  readonly localAddress?: string | undefined;
  /** Port of this end. */
  readonly localPort?: number | undefined;
  /** What the socket came from; that of a UNIX socket has its path in `unix`. */
  readonly listener?: object | undefined;
  /** Stops to deliver data. */
  pause(): void;
  /** Goes on to deliver data. */
  resume(): void;
  /** Returns how many bytes were written, -1 if the socket is closed; `drain` is called when more can be. */
  write(data: string | Uint8Array | ArrayBuffer): number;
  /** Sends what is buffered. */
  flush(): void;
  /** Ends the sending direction, or the connection. */
  end(): unknown;
  /** Ends the sending direction alone. */
  shutdown(): void;
  /** Closes the connection at once. */
  terminate(): void;
}

/**
 * `Bun.Socket<unknown>` in a program that has the types of Bun, else
 * {@link BunSocket}.
 *
 * Handlers get it if nothing else decides the type of the socket: in a variable,
 * or in a `Bun.listen` that does not name the type of its data. It is looked up on
 * the global object, so that the package does not depend on the types of Bun.
 */
export type BunNativeSocket = typeof globalThis extends {
  Bun: {
    listen(
      options: {
        socket: { open?(socket: infer S extends BunSocket): unknown };
      },
    ): unknown;
  };
} ? S
  : BunSocket;

/**
 * `Buffer` in a program that has the types of Bun, else `Uint8Array`; see
 * {@link BunNativeSocket}.
 */
export type BunNativePayload = typeof globalThis extends {
  Bun: {
    listen(
      options: {
        socket: {
          data?(socket: never, payload: infer P extends Uint8Array): unknown;
        };
      },
    ): unknown;
  };
} ? P
  : Uint8Array;

/** Where `relay` connects to, as `Bun.connect` takes it. */
export type BunRelayTarget =
  & (
    | { readonly hostname: string; readonly port: number }
    | { readonly unix: string }
  )
  & {
    /** `true` or the options of TLS; the header goes inside. */
    readonly tls?: boolean | object;
    /**
     * Turns on TCP keepalive of the connection to the target: how long in ms it
     * may be silent before the first probe. Without it there are no probes.
     */
    readonly keepAlive?: number;
  };

/** What arrives, in the class that `binaryType` asks for. */
export type BunPayload = Uint8Array | ArrayBuffer;

/**
 * What an application hears: the handlers of `Bun.listen({ socket })`, of
 * which {@link open} is told what the header says.
 */
export interface BunHandlers<
  S extends BunSocket = BunNativeSocket,
  P extends BunPayload = BunNativePayload,
> {
  /** The header is in, or none was looked for or found: then `info` is `undefined`. */
  open?(socket: S, info: ProxyInfo | undefined): unknown;
  /** Payload; first of all what came with the header. */
  data?(socket: S, payload: P): unknown;
  /** What did not fit into the last `write` can be written. */
  drain?(socket: S): unknown;
  /** The peer has ended its sending direction. */
  end?(socket: S): unknown;
  /** The connection is closed. Not called for one that was refused. */
  close?(socket: S, error?: Error): unknown;
  /** A handler has thrown, or the TLS session has failed. */
  error?(socket: S, error: Error): unknown;
  /** The TLS handshake is over. Called after {@link open}, since the header comes inside TLS. */
  handshake?(socket: S, success: boolean, error: Error | null): unknown;
  /** The time that was set with `socket.timeout` has passed. */
  timeout?(socket: S): unknown;
  /** Passed on as it is; no listener calls it. */
  connectError?(socket: S, error: Error): unknown;
  /**
   * Class of the payload.
   *
   * @default {"buffer"}
   */
  binaryType?: "buffer" | "uint8array" | "arraybuffer";
}

/** Options of {@link proxied}. */
export interface BunListenerOptions<S extends BunSocket = BunNativeSocket>
  extends ListenerOptions<S> {
  /**
   * Called with each valid header of a trusted peer. Return `true` to accept;
   * any other answer rejects the connection. `timeout` does not apply to it, only
   * `signal`. The socket shows the client already; do not write to it here. With
   * `lazy` it is a view of the socket that the application has.
   */
  verify?: (info: ProxyInfo, socket: S) => boolean | Promise<boolean>;
}

/** What {@link proxied} gives: the handlers for `Bun.listen({ socket })`. */
export interface BunProxiedHandlers<
  S extends BunSocket = BunNativeSocket,
  P extends BunPayload = BunNativePayload,
> {
  /** What has been let in and refused so far; the object is live. */
  readonly stats: ListenerStats;
  /** Begins to wait for the header. */
  open(socket: S): void;
  /**
   * Takes the header, then passes the payload on. The types of Bun say Buffer
   * here whatever `binaryType` asks for: both fit.
   */
  data(socket: S, payload: P | BunPayload): void;
  /** Passed on once the connection is open. */
  end(socket: S): void;
  /** Passed on once the connection is open. */
  close(socket: S, error?: Error): void;
  /** Passed on once the connection is open. */
  handshake(socket: S, success: boolean, error: Error | null): void;
  /** Passed on once the connection is open. */
  drain(socket: S): void;
  /** Passed on once the connection is open; absent where the application has none. */
  timeout?(socket: S): void;
  /** Passed on once the connection is open; absent where the application has none. */
  error?(socket: S, error: Error): void;
  /** That of the application. */
  connectError?(socket: S, error: Error): void;
  /** That of the application. */
  binaryType?: "buffer" | "uint8array" | "arraybuffer";
}
