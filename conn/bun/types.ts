import type { ProxyInfo } from "../../codec/mod.ts";
import type { ListenerOptions, ListenerStats } from "../types.ts";

/** A socket of `Bun.listen`, such as `Bun.Socket`: the members that are used. */
export interface BunSocket {
  /** Belongs to the application. */
  data: unknown;
  /** Address of the peer. Absent for UNIX sockets. */
  readonly remoteAddress?: string | undefined;
  /** Port of the peer. */
  readonly remotePort?: number | undefined;
  /** Address of this end. Absent for UNIX sockets. */
  readonly localAddress?: string | undefined;
  /** Port of this end. */
  readonly localPort?: number | undefined;
  /** The listener of the socket. For a UNIX socket, `unix` is its path. */
  readonly listener?: object | undefined;
  /** Stops the delivery of data. */
  pause(): void;
  /** Resumes the delivery of data. */
  resume(): void;
  /**
   * Writes bytes. Returns how many were written, or -1 if the socket is closed.
   * `drain` is called when more can be written.
   */
  write(data: string | Uint8Array | ArrayBuffer): number;
  /** Sends what is buffered. */
  flush(): void;
  /** Ends the sending direction, or the connection. */
  end(): unknown;
  /** Ends only the sending direction. */
  shutdown(): void;
  /** Closes the connection at once. */
  terminate(): void;
}

/**
 * `Bun.Socket<unknown>` in a program that has the types of Bun, else
 * {@link BunSocket}.
 *
 * Handlers receive this type if nothing else decides the type of the socket: in
 * a variable, or in a `Bun.listen` that does not name the type of its data. It
 * is looked up on the global object, so that the package does not depend on the
 * types of Bun.
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

/** Target that `relay` connects to, in the form that `Bun.connect` accepts. */
export type BunRelayTarget =
  & (
    | { readonly hostname: string; readonly port: number }
    | { readonly unix: string }
  )
  & {
    /** `true` or the options of TLS. The header is sent inside TLS. */
    readonly tls?: boolean | object;
    /**
     * Enables TCP keepalive for the connection to the target. The value is how long
     * in ms it may be silent before the first probe. Without it no probes are sent.
     */
    readonly keepAlive?: number;
  };

/** Received bytes, in the class that `binaryType` selects. */
export type BunPayload = Uint8Array | ArrayBuffer;

/**
 * Handlers of an application, as for `Bun.listen({ socket })`. {@link open} also
 * receives the decoded header.
 */
export interface BunHandlers<
  S extends BunSocket = BunNativeSocket,
  P extends BunPayload = BunNativePayload,
> {
  /**
   * Called when the header has arrived. `info` is `undefined` if no header was
   * expected or found.
   */
  open?(socket: S, info: ProxyInfo | undefined): unknown;
  /** Called with payload, first with the payload that arrived with the header. */
  data?(socket: S, payload: P): unknown;
  /** Called when the rest of the last `write` can be written. */
  drain?(socket: S): unknown;
  /** Called when the peer has ended its sending direction. */
  end?(socket: S): unknown;
  /** Called when the connection is closed. Not called for a rejected connection. */
  close?(socket: S, error?: Error): unknown;
  /** Called when a handler has thrown, or the TLS session has failed. */
  error?(socket: S, error: Error): unknown;
  /**
   * Called when the TLS handshake has ended, but after {@link open}, because the
   * header arrives inside TLS.
   */
  handshake?(socket: S, success: boolean, error: Error | null): unknown;
  /** Called when the time that was set with `socket.timeout` has passed. */
  timeout?(socket: S): unknown;
  /** Passed to Bun unchanged. No listener calls it. */
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
   * Called with each valid header of a trusted peer. Return `true` to accept.
   * Any other answer rejects the connection. `timeout` does not apply to it,
   * only `signal`. The socket already shows the client. Do not write to it
   * here. With `lazy` the socket is a view of the application's socket.
   */
  verify?: (info: ProxyInfo, socket: S) => boolean | Promise<boolean>;
}

/** Handlers that {@link proxied} returns, for `Bun.listen({ socket })`. */
export interface BunProxiedHandlers<
  S extends BunSocket = BunNativeSocket,
  P extends BunPayload = BunNativePayload,
> {
  /** Counts of accepted and rejected connections so far. The object is live. */
  readonly stats: ListenerStats;
  /** Starts waiting for the header. */
  open(socket: S): void;
  /**
   * Reads the header, then forwards the payload. Both types are accepted,
   * because the types of Bun say Buffer here for every `binaryType`.
   */
  data(socket: S, payload: P | BunPayload): void;
  /** Forwarded once the connection is open. */
  end(socket: S): void;
  /** Forwarded once the connection is open. */
  close(socket: S, error?: Error): void;
  /** Forwarded once the connection is open. */
  handshake(socket: S, success: boolean, error: Error | null): void;
  /** Forwarded once the connection is open. */
  drain(socket: S): void;
  /**
   * Forwarded once the connection is open. Absent if the application has no
   * such handler.
   */
  timeout?(socket: S): void;
  /**
   * Forwarded once the connection is open. Absent if the application has no
   * such handler.
   */
  error?(socket: S, error: Error): void;
  /** The application's own, unchanged. */
  connectError?(socket: S, error: Error): void;
  /** The application's own, unchanged. */
  binaryType?: "buffer" | "uint8array" | "arraybuffer";
}
