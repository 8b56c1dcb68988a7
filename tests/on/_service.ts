/** What the servers of every runtime are told to serve, and what they tell of it. */

import {
  type ListenerOptions,
  type ListenerStats,
  ProxyProtocolError,
  type ProxyProtocolErrorCode,
} from "../../mod.ts";
import type { Asked } from "./_asked.ts";
import type { Seen } from "./_seen.ts";
import type { Verdict } from "./_verdict.ts";

/** Those options that can be written as JSON. */
export type ServiceOptions =
  & Omit<
    ListenerOptions,
    "onReject" | "signal" | "verify" | "trust" | "untrusted"
  >
  & {
    trust: readonly string[] | "any";
    untrusted?: readonly string[] | "reject" | "direct";
  };

/**
 * A kind of server. TLS is around the header where the runtime's own listener
 * ends it, and begins after the header in servers of `./node`. The last four
 * exist there alone.
 */
export type Kind =
  | "bytes"
  | "tls"
  | "http"
  | "https"
  | "http2"
  | "http2 in TLS";

/** What a server does at one of its ports: it tells whom it sees in a line, then echoes. */
export interface Service {
  options: ServiceOptions;
  /**
   * Where it listens.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
  /** Listens on this path instead. */
  path?: string;
  /**
   * What listens; it answers with whom it sees, and those of bytes echo.
   *
   * @default {"bytes"}
   */
  kind?: Kind;
  /** Relays to this port of 127.0.0.1 by `relay` instead, with a header of v2. */
  relayTo?: number;
  /** Relays by pairs of streams over `node:net`, where there is a `relay` of sockets. */
  relaysPairs?: boolean;
  /** Of the scenarios of admission. */
  watched?: Watched;
}

/** A service that takes orders, and keeps what its application sees. */
export interface Watched {
  /**
   * How `verify` answers; "later" is by an order. Without one there is none.
   */
  verify?: Verdict | "later";
  /** Functions for `trust` and `untrusted`. */
  asked?: Asked;
  /** Whether `onReject` throws when it has been told. */
  onRejectThrows?: boolean;
  /** Has a signal, which an order fires. */
  hasSignal?: boolean;
  /**
   * The server of `./node`.
   *
   * @default {"net"}
   */
  server?: "net" | "tls" | "http";
}

/** What a service that is watched is told to do; it answers with its facts. */
export type Order =
  & { service: string }
  & (
    | { do: "tell" | "fire the signal" | "close" }
    | { do: "answer verify"; verdict: Verdict }
  );

/** What an application that is watched says last, after the end of its client. */
export function farewell(read: number): string {
  return `bye after ${read} bytes\n`;
}

/** Passes bytes on, and says farewell. */
export function withFarewell(): TransformStream<Uint8Array, Uint8Array> {
  let read = 0;
  return new TransformStream({
    transform(chunk, controller) {
      read += chunk.length;
      controller.enqueue(chunk);
    },
    flush(controller) {
      controller.enqueue(new TextEncoder().encode(farewell(read)));
    },
  });
}

/** Services by name. */
export type Services = Readonly<Record<string, Service>>;

/** What the servers serve unless they are told otherwise; the scenarios rely on it. */
export const DEFAULT_SERVICES: Services = {
  patient: { options: { trust: ["127.0.0.1"], timeout: 30_000 } },
  impatient: { options: { trust: ["127.0.0.1"], timeout: 400 } },
};

/** What a server tells first. */
export interface Listening {
  pid: number;
  /** By the name of the service; 0 for a path. */
  ports: Record<string, number>;
}

/** A connection that was refused. */
export interface Rejected {
  code: ProxyProtocolErrorCode;
  /** Port of the peer. */
  port?: number;
  /** How many bytes had come. */
  received?: number;
  offset: number;
  message: string;
}

/** What a log keeps of an error. */
export function toRejected(error: unknown): Rejected {
  if (!(error instanceof ProxyProtocolError)) throw error;
  const { code, hop, received, offset, message } = error;
  return {
    code,
    ...(hop?.port !== undefined && { port: hop.port }),
    received: received.length,
    offset,
    message,
  };
}

/** What has become of a connection that was relayed. */
export interface Relayed {
  sent: number;
  received: number;
  /** Whether it ended by an error. */
  hasFailed: boolean;
}

/** What a service tells of itself. */
export interface ServiceFacts {
  /** Not of a relay by Bun and Node, nor of workerd, which has no listener. */
  stats?: ListenerStats;
  /** How many connections have come, where there are no stats. */
  arrived?: number;
  /** The latest. */
  rejected: Rejected[];
  /** The latest. */
  relayed: Relayed[];
  /** The latest that `verify` was asked about, where it is watched. */
  verified: Seen[];
  /** The latest that the application was handed, where it is watched; with `lazy`, as of when they were ready. */
  served: Seen[];
  /** The latest that the application was handed before their header, with `lazy`. */
  greeted: Seen[];
  /** Why the latest of these were never ready. */
  unready: Rejected[];
}

/** What a server tells of itself, behind a collection of garbage. */
export interface ToldFacts {
  /** Used heap in bytes. */
  heap: number;
  /** Time of the processor so far, in ms. */
  cpu: number;
  services: Record<string, ServiceFacts>;
}

/** What is known of a server. To look for this it may lack the files. */
export interface Facts extends ToldFacts {
  /** Open files. */
  files: number;
  /** Memory in bytes. */
  memory: number;
}
