/**
 * What runtimes give, as small structural types: no namespace of a runtime is
 * mentioned, so that each runtime's own types fit.
 *
 * @module
 */

/**
 * An address as a runtime reports it, such as `Deno.NetAddr` and
 * `Deno.UnixAddr`.
 */
export interface NativeAddress {
  /** `tcp`, `udp`, `unix` or `unixpacket`. */
  readonly transport: string;
  /** IP address, of network addresses. */
  readonly hostname?: string | undefined;
  /** Port, of network addresses. */
  readonly port?: number | undefined;
  /** Path, of UNIX addresses; `null` for a client without one. */
  readonly path?: string | null | undefined;
}

/**
 * A connection with a `read` method, such as `Deno.TcpConn`, `Deno.TlsConn` and
 * `Deno.UnixConn`.
 */
export interface NativeConn {
  /** Reads at most `p.byteLength` bytes. Resolves to `null` at the end. */
  read(p: Uint8Array): Promise<number | null>;
  /** Writes a part of `p`. Resolves to the length of that part in bytes. */
  write(p: Uint8Array): Promise<number>;
  /** Closes both directions. */
  close(): void;
  /** Closes both directions so that the peer sees a reset, if the runtime can. */
  reset?(): void;
  /** Ends the sending direction. */
  closeWrite(): Promise<void>;
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
  /** Received bytes. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Stream of bytes to send. */
  readonly writable: WritableStream<Uint8Array>;
  /** This end. */
  readonly localAddr: NativeAddress;
  /** The peer. */
  readonly remoteAddr: NativeAddress;
}

/**
 * A connection that is a pair of streams: Cloudflare's `Socket`, WinterTC
 * sockets, or the result of `Duplex.toWeb` of Node.
 */
export interface ByteDuplex {
  /**
   * Received bytes. Only a byte stream can be read exactly to the end of the
   * header.
   */
  readonly readable: ReadableStream<Uint8Array>;
  /** Stream of bytes to send. */
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when the connection is open, with both addresses as `ip:port`. */
  readonly opened?: Promise<{
    /** The peer. */
    readonly remoteAddress?: string | undefined;
    /** This end. */
    readonly localAddress?: string | undefined;
  }>;
  /** Settles when both directions are closed, by an orderly end or a reset. */
  readonly closed?: Promise<unknown>;
  /**
   * The peer, if the socket has no `opened`. Without `remoteAddr` and `opened`,
   * only `trust: "any"` trusts the peer.
   */
  readonly remoteAddr?: NativeAddress;
  /** This end, if the socket has no `opened`. */
  readonly localAddr?: NativeAddress;
  /** Transport, as Cloudflare reports it. `"udp"` is rejected. */
  readonly protocol?: string;
  /** Closes both directions. */
  close?(): unknown;
  /** Closes both directions so that the peer sees a reset, if the runtime can. */
  reset?(): unknown;
}

/**
 * A listener that accepts connections, such as `Deno.Listener` and
 * `Deno.TlsListener`.
 */
export interface NativeListener<C extends NativeConn, A = NativeAddress> {
  /** Waits for the next connection. */
  accept(): Promise<C>;
  /** Stops listening. */
  close(): void;
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end. */
  unref(): void;
  /** Where it listens. */
  readonly addr: A;
}
