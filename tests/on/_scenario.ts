/**
 * What a scenario of admission is: what a peer does, and the one thing that
 * every runtime has to make of it.
 */

import type { ProxyProtocolErrorCode } from "../../mod.ts";
import type { Client } from "./bun/_client.ts";
import type { Order, ServiceOptions, Watched } from "./_service.ts";

/** One scenario. */
export interface Scenario {
  name: string;
  /** Where they are not {@link DEFAULT_OPTIONS}. */
  options?: Partial<ServiceOptions>;
  watched?: Watched;
  /** Scenarios of a group share a service, and its stats are their sum; others have their own. */
  group?: string;
  /** Whether it is about what a listener does, which `accept` has none of. */
  isOfListener?: boolean;
  /** What the peers do; they end their direction after it, where they have not. */
  act(stage: Stage): Promise<unknown>;
  /** What has become of the clients, in the order in which they dialled. */
  expected: readonly Outcome[];
}

/**
 * The deadline of scenarios that wait for it, in ms. Bytes must arrive before
 * it: at a load of 12 on two cores, 1000 ms were too short for the first one.
 */
export const DEADLINE = 4000;

/** Options of a scenario that names none. */
export const DEFAULT_OPTIONS: ServiceOptions = {
  trust: ["127.0.0.1"],
  timeout: 30_000,
};

/** What has become of a client: it is served, or else there is an error. */
export interface Outcome {
  /** What `verify` sees, where it is asked. */
  verified?: Sight;
  served?: Sight;
  /** What the application sees when it is handed the connection, with `lazy`: before the header. */
  greeted?: Sight;
  /** What comes back, to the last byte. */
  received?: Uint8Array;
  error?: Failure;
}

/** What is seen of a connection, in words that are the same for every client. */
export interface Sight {
  /** Address, port and family; "the client" and "the server" are the real ends. */
  remote: string;
  local: string;
  hop: string;
  /** What the header says, or that there is none. */
  header: string;
}

/** An error, as `onReject` is told, or `accept` throws. */
export interface Failure {
  code: ProxyProtocolErrorCode;
  /** How many bytes it says were received; "some" where that is a matter of time. */
  received: number | "some";
  offset: number | "some";
  /** "the client" stands for its address. */
  message: string;
}

/** Where a scenario is played: it dials the service, and waits for what can be observed. */
export interface Stage {
  /** Dials, and sends what is given. */
  dial(bytes?: Uint8Array | string): Promise<Client>;
  /**
   * Dials a service whose signal has fired. If that has closed its listener,
   * nobody hears of it: then it must be the last, and its outcome does not count.
   */
  dialAfterSignal(bytes: Uint8Array | string): Promise<void>;
  /** Orders the service. */
  order(order: OrderOf): Promise<void>;
  /** Waits until so many connections are neither served nor refused. */
  pending(count: number): Promise<void>;
  /** Waits until so many connections are served or refused. */
  settled(count: number): Promise<void>;
  /** Waits until `verify` has been asked so often. */
  asked(count: number): Promise<void>;
  /** Waits until a client has got the line that a server sends first. */
  greeted(client: Client): Promise<void>;
  /** Waits until the server has read all that a client has sent. */
  read(client: Client): Promise<void>;
  /** Waits until the end of what a client sends has come to the server. */
  ended(client: Client): Promise<void>;
  /** Waits until a reset has come to the server, and its runtime had the time to notice. */
  gone(client: Client): Promise<void>;
}

/** An order, without the name of the service. */
export type OrderOf = Order extends infer O
  ? O extends Order ? Omit<O, "service"> : never
  : never;
