/** What the servers of every runtime are told to serve, and what they tell of it. */

import type { ListenerOptions, ListenerStats } from "../../mod.ts";

/** Those options that can be written as JSON. */
export type ServiceOptions =
  & Omit<ListenerOptions, "onReject" | "signal" | "verify" | "trust">
  & { trust: readonly string[] | "any" };

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
  /** Relays to this port of 127.0.0.1 by `relay` instead, with a header of v2. */
  relayTo?: number;
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
  code: string;
  /** Port of the peer. */
  port?: number;
  /** How many bytes had come. */
  received?: number;
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
  /** Not of a relay by Bun and Node. */
  stats?: ListenerStats;
  /** The latest. */
  rejected: Rejected[];
  /** The latest. */
  relayed: Relayed[];
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
