/** What the command line needs of a runtime to receive connections. */

import type { Address, ProxyInfo } from "../../codec/mod.ts";
import type { RelayOptions, RelayResult } from "../sending/types.ts";
import type {
  AcceptOptions,
  ListenerOptions,
  ListenerStats,
} from "../types.ts";
import type { HostPort } from "./read_text.ts";

/** How a header is received, whatever the connection is. */
export type HeaderOptions = Omit<AcceptOptions, "verify">;

/** How a port receives headers. */
export type PortOptions = Omit<ListenerOptions, "verify">;

/** What differs between runtimes. A driver of it decides nothing. */
export interface Runtime {
  /** Listens for connections, which are accepted by calls. */
  listen(where: HostPort): Promise<Arrivals>;
  /** Listens for connections to be relayed, and calls `handle` with each that is accepted. */
  serve(port: ServedPort, handle: (client: Client) => void): Promise<Serving>;
  /** Starts the command line once more; on Deno it may read these `files`. */
  spawn(args: readonly string[], files: readonly string[]): Worker;
}

/** A port to serve. */
export interface ServedPort {
  where: HostPort;
  /** Whether other processes may listen on it as well. */
  reusePort: boolean;
  /** How long in ms a connection may be silent before the first probe of TCP. Deno leaves it to the system. */
  keepAlive: number;
  /** How headers are received. */
  options: PortOptions;
}

/** The command line in a process of its own; its standard error is ours. */
export interface Worker {
  /** Its standard output. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Writes to its standard input, which may be closed. */
  write(text: string): void;
  /** Ends its standard input. */
  end(): void;
  /** Ends it at once. */
  kill(): void;
  /** Resolves to its exit code, or to the signal that has ended it. */
  readonly ended: Promise<string>;
}

/** A port whose connections are relayed. */
export interface Serving {
  /** Where it listens. */
  readonly addr: Address;
  /** Counts so far; the object is live. */
  readonly stats: ListenerStats;
  /** Stops listening. What is being relayed stays open. */
  close(): void;
}

/** A connection that was accepted. */
export interface Client {
  /** The header; `undefined` if there is none. */
  readonly info: ProxyInfo | undefined;
  /** The peer. */
  readonly hop: Address;
  /** Relays it until both ends have closed. To be called at once, or never. */
  relay(to: HostPort, options: RelayOptions): Promise<RelayResult>;
  /** Closes it instead. */
  close(): void;
}

/** A port on which connections arrive. */
export interface Arrivals {
  /** Where it listens. */
  readonly addr: Address;
  /** Waits for the next connection; rejects when closed, and for a failure of the system. */
  accept(): Promise<Arrival>;
  /** Stops listening. */
  close(): void;
}

/** A connection of which nothing has been read yet. */
export interface Arrival {
  /** The peer. */
  readonly hop: Address;
  /**
   * Reads the header.
   *
   * @throws {ProxyProtocolError} when the connection is rejected. The
   * connection is then closed.
   */
  receive(options: HeaderOptions): Promise<Received>;
}

/** A connection after its header. */
export interface Received {
  /** The header; `undefined` if there is none. */
  info: ProxyInfo | undefined;
  conn: ByteConn;
}

/** A connection that is read and written by calls, like one of Deno. */
export interface ByteConn {
  /** Reads at most `p.length` bytes; `null` at the end. */
  read(p: Uint8Array): Promise<number | null>;
  /** Writes some of `p`; how many bytes that was. */
  write(p: Uint8Array): Promise<number>;
  /** Ends the sending direction. */
  closeWrite(): Promise<void>;
  /** Closes both directions. */
  close(): void;
}
