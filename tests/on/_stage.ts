/** Plays a scenario, and says what has come of it. */

import { assertEquals } from "@std/assert";
import { Duplex } from "node:stream";
import { isPeerGone } from "../../conn/admission/refusal.ts";
import { LONGEST_WAIT } from "../_within.ts";
import { Client } from "./bun/_client.ts";
import { describe, DIRECT, NO_ADDRESS } from "./_expect.ts";
import { serverEnd } from "./_kernel.ts";
import type {
  Failure,
  OrderOf,
  Outcome,
  Scenario,
  Sight,
  Stage,
} from "./_scenario.ts";
import type { Seen, SeenEnd } from "./_seen.ts";
import type { Server } from "./_servers.ts";
import type { Rejected, ServiceFacts } from "./_service.ts";

/** Between two looks at what is waited for, in ms. */
const GLANCE = 10;

/** What has become of a client, as often as it has been told. */
export type Outcomes =
  & {
    [K in "verified" | "greeted" | "served" | "error"]: NonNullable<
      Outcome[K]
    >[];
  }
  & {
    received: Uint8Array;
    /** Why it was never ready, with `lazy`. */
    unready: Failure[];
  };

/** What a service has told. */
interface Result {
  outcomes: Outcomes[];
  /** Errors that name none of the clients. */
  strays: Failure[];
}

/** A scenario that is played with a service. */
export class Play implements Stage {
  readonly #server: Server;
  readonly #service: string;
  readonly #port: number;
  readonly #isAlone: boolean;
  readonly #clients: Client[] = [];
  /** How many have found nobody who listens. */
  #unheard = 0;

  constructor(server: Server, service: string, isAlone: boolean) {
    this.#server = server;
    this.#service = service;
    this.#port = server.ports.get(service) ?? 0;
    this.#isAlone = isAlone;
  }

  /** Plays to the end of all connections. */
  async run({ act, expected }: Scenario): Promise<void> {
    try {
      await act(this);
      const count = this.#clients.length;
      if (count + this.#unheard !== expected.length) {
        throw new Error("Not all have dialled, or more");
      }
      // What comes back says it as well, where a service has many to tell of.
      if (this.#isAlone) await this.settled(count);
      for (const client of this.#clients) {
        client.end();
        await client.receiveAll();
      }
    } finally {
      for (const client of this.#clients) client.close();
    }
  }

  async dial(bytes?: Uint8Array | string): Promise<Client> {
    const client = await Client.dial(this.#port).catch((error) => {
      // Who is refused at once may never hear that it was connected.
      ignoreGone(error);
      return new Client(new Duplex().destroy());
    });
    this.#clients.push(client);
    // Who is refused at once may be so before all is said.
    if (bytes !== undefined) {
      await client.send(bytes).catch((error) => {
        if (!client.stream.destroyed) throw error;
      });
    }
    return client;
  }

  async dialAfterSignal(bytes: Uint8Array | string): Promise<void> {
    if (!this.#server.closesOnSignal) {
      await this.dial(bytes);
      return;
    }
    await this.#until("nobody to listen", () => this.#isRefused());
    this.#unheard++;
  }

  /**
   * Whether nobody listens. Until then the queue of the system takes who dials,
   * and whoever closes the listener closes them as well.
   */
  async #isRefused(): Promise<boolean> {
    try {
      using client = await Client.dial(this.#port);
      assertEquals((await client.receiveAll()).length, 0);
      return false;
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      if (error.code === "ECONNREFUSED") return true;
      ignoreGone(error);
      return false;
    }
  }

  async order(order: OrderOf): Promise<void> {
    await this.#server.order({ service: this.#service, ...order });
  }

  async pending(count: number): Promise<void> {
    await this.#until(`${count} to be pending`, async () => {
      const facts = await this.#facts();
      const { stats, arrived = 0 } = facts;
      const pending = stats?.pending ?? arrived - this.#countSettled(facts);
      return pending === count;
    });
  }

  async settled(count: number): Promise<void> {
    await this.#until(`${count} to be settled`, async () => {
      return this.#countSettled(await this.#facts()) >= count;
    });
  }

  async asked(count: number): Promise<void> {
    await this.#until(`verify to be asked`, async () => {
      return (await this.#facts()).verified.length >= count;
    });
  }

  async greeted(client: Client): Promise<void> {
    await this.#until("a greeting", () => {
      return Promise.resolve(client.received().includes(0x0a));
    });
  }

  async read({ port }: Client): Promise<void> {
    await this.#until("all to be read", async () => {
      const end = await serverEnd(this.#port, port);
      return (end?.unread ?? 0) === 0; // or refused
    });
  }

  async ended({ port }: Client): Promise<void> {
    await this.#until("an end to arrive", async () => {
      return (await serverEnd(this.#port, port))?.hasPeerEnded ?? true;
    });
    await this.#turn();
  }

  async gone({ port }: Client): Promise<void> {
    await this.#until("a reset to arrive", async () => {
      return await serverEnd(this.#port, port) === undefined;
    });
    await this.#turn();
  }

  /** Waits for turns of the server's loop: what has come to its sockets has come to it. */
  async #turn(): Promise<void> {
    for (let i = 0; i < 3; i++) await this.order({ do: "tell" });
  }

  async #until(
    what: string,
    isSo: () => Promise<boolean>,
  ): Promise<void> {
    const end = performance.now() + LONGEST_WAIT;
    while (!await isSo()) {
      if (performance.now() > end) {
        throw new Error(`Waited ${LONGEST_WAIT} ms for ${what}`);
      }
      await new Promise((resolve) => setTimeout(resolve, GLANCE));
    }
  }

  /** What the service has told so far. */
  async #facts(): Promise<ServiceFacts> {
    const service = this.#service;
    return await this.#server.order({ service, do: "tell" });
  }

  #countSettled({ stats, served, rejected }: ServiceFacts): number {
    // Only counted, where there is somebody who counts.
    return served.length + rejected.length + (stats?.rejected.empty ?? 0);
  }

  /** How many clients somebody has heard of. */
  get count(): number {
    return this.#clients.length;
  }

  /** What has become of the clients, by what their service has told in the end. */
  resultOf(facts: ServiceFacts): Result {
    const strays = facts.rejected.filter(({ port }) =>
      !this.#clients.some((client) => this.#owns(client, port))
    );
    return {
      outcomes: this.#outcomes(facts),
      strays: this.#isAlone ? strays.map(toFailure) : [],
    };
  }

  #outcomes(facts: ServiceFacts): Outcomes[] {
    return this.#clients.map((client) => {
      const isOf = (seen: Seen) => this.#owns(client, portOf(seen));
      return {
        verified: facts.verified.filter(isOf).map(toSight),
        greeted: facts.greeted.filter(isOf).map(toSight),
        served: facts.served.filter(isOf).map(toSight),
        error: facts.rejected.filter(({ port }) => this.#owns(client, port))
          .map(toFailure),
        unready: facts.unready.filter(({ port }) => this.#owns(client, port))
          .map(toFailure),
        received: withoutLine(client.received()),
      };
    });
  }

  /** Whether a port is that of a client; one that does not know its own has what is left. */
  #owns({ port }: Client, other: number | undefined): boolean {
    return port === other ||
      port === 0 && this.#clients.every(({ port }) => port !== other);
  }

  /** What is expected of the clients, with their addresses. */
  expect(expected: readonly Outcome[]): Outcome[] {
    return this.#clients.map((client, i) => {
      const { verified, greeted, served, ...outcome } = expected[i] ?? {};
      const locate = (sight: Sight) => this.#locate(sight, client);
      return {
        ...outcome,
        ...(verified && { verified: locate(verified) }),
        ...(greeted && { greeted: locate(greeted) }),
        ...(served && { served: locate(served) }),
      };
    });
  }

  /** Puts the real addresses where a sight names the ends. */
  #locate({ remote, local, hop, header }: Sight, client: Client): Sight {
    const place = (text: string) =>
      text.replace("the client", `127.0.0.1 ${client.port}`)
        .replace("the server", `127.0.0.1 ${this.#port}`);
    return {
      remote: place(remote),
      local: place(local),
      hop: place(hop),
      header,
    };
  }
}

function toSight({ remote, local, hop, header }: Seen): Sight {
  return {
    remote: toText(remote),
    local: toText(local),
    hop: hop !== null && "port" in hop
      ? `${hop.hostname} ${hop.port}`
      : NO_ADDRESS,
    header: header === null ? DIRECT.header : describe(header),
  };
}

function toText(end: SeenEnd | null): string {
  return end === null
    ? NO_ADDRESS
    : `${end.hostname} ${end.port} ${end.family}`;
}

function ignoreGone(error: unknown): void {
  if (!isPeerGone(error)) throw error;
}

function portOf({ hop }: Seen): number | undefined {
  return hop !== null && "port" in hop ? hop.port : undefined;
}

function toFailure(
  { code, port, received = 0, offset, message }: Rejected,
): Failure {
  return {
    code,
    received,
    offset,
    message: message.replace(`127.0.0.1:${port}`, "the client"),
  };
}

/** What was received behind the line by which a server tells what it sees. */
function withoutLine(received: Uint8Array): Uint8Array {
  return received.subarray(received.indexOf(0x0a) + 1);
}
