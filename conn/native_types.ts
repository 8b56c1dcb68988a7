/**
 * What runtimes give, as small structural types: no namespace of a runtime is
 * mentioned, so that each runtime's own types fit.
 *
 * @module
 */

/** An address as a runtime reports it; `Deno.NetAddr` and `Deno.UnixAddr` are such. */
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
 * A connection that is read by calls: `Deno.TcpConn`, `Deno.TlsConn` and
 * `Deno.UnixConn` are such.
 */
export interface NativeConn {
  /** Reads at most `p.byteLength` bytes; `null` at the end. */
  read(p: Uint8Array): Promise<number | null>;
  /** Writes a part of `p`; returns its length in bytes. */
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
  /** What arrives. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What is sent. */
  readonly writable: WritableStream<Uint8Array>;
  /** This end. */
  readonly localAddr: NativeAddress;
  /** The peer. */
  readonly remoteAddr: NativeAddress;
}

/**
 * A connection that is a pair of streams: Cloudflare's `Socket`, WinterTC
 * sockets, what `Duplex.toWeb` of Node gives.
 */
export interface ByteDuplex {
  /** What arrives. Read exactly where it is a byte stream. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What is sent. */
  readonly writable: WritableStream<Uint8Array>;
  /** Resolves when the connection is open, with its ends as `ip:port`. */
  readonly opened?: Promise<{
    /** The peer. */
    readonly remoteAddress?: string | undefined;
    /** This end. */
    readonly localAddress?: string | undefined;
  }>;
  /** Settles when both directions are closed, in order or by a reset. */
  readonly closed?: Promise<unknown>;
  /** The peer, if the socket has no `opened`. Without either, only `trust: "any"` trusts it. */
  readonly remoteAddr?: NativeAddress;
  /** This end, if the socket has no `opened`. */
  readonly localAddr?: NativeAddress;
  /** What carries it, as Cloudflare says; `"udp"` is rejected. */
  readonly protocol?: string;
  /** Closes both directions. */
  close?(): unknown;
  /** Closes both directions so that the peer sees a reset, if the runtime can. */
  reset?(): unknown;
}

/** What yields connections: `Deno.Listener` and `Deno.TlsListener` are such. */
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
