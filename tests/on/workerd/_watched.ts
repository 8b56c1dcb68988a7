/** A workerd whose services can be watched like those of a process of ours. */

import {
  DEFAULT_SERVICES,
  type Order,
  type ServiceFacts,
  type Services,
} from "../_service.ts";
import type { Verdict } from "../_verdict.ts";
import type { Server } from "../_servers.ts";
import { type Note, startWorkerd } from "./_workerd.ts";

/** What has happened to a service, and what its Worker waits for. */
class Watched {
  readonly facts: ServiceFacts = {
    arrived: 0,
    rejected: [],
    relayed: [],
    verified: [],
    served: [],
    greeted: [],
    unready: [],
  };
  readonly #firing = Promise.withResolvers<void>();
  #hasFired = false;
  readonly #verdict = Promise.withResolvers<Verdict>();

  take(note: Note): void {
    const { facts } = this;
    if ("rejected" in note) facts.rejected.push(note.rejected);
    else if ("verified" in note) facts.verified.push(note.verified);
    else if ("served" in note) facts.served.push(note.served);
    else facts.arrived = (facts.arrived ?? 0) + 1;
  }

  obey(order: Order): void {
    if (order.do === "close") throw new Error("No listener of ours");
    if (order.do === "fire the signal") {
      this.#hasFired = true;
      this.#firing.resolve();
    } else if (order.do === "answer verify") {
      this.#verdict.resolve(order.verdict);
    }
  }

  /** Answers its Worker, maybe later. */
  async answer(question: string): Promise<string> {
    if (question === "has-fired") return String(this.#hasFired);
    if (question === "verdict") return await this.#verdict.promise;
    await this.#firing.promise;
    return "";
  }
}

/** Starts workerd with services by name. */
export async function startWatchedWorkerd(
  services: Services = DEFAULT_SERVICES,
): Promise<Server> {
  const watched = new Map(
    Object.keys(services).map((name) => [name, new Watched()]),
  );
  const of = (name: string) => {
    const one = watched.get(name);
    if (one === undefined) throw new Error(`No service ${name}`);
    return one;
  };
  const closing = Promise.withResolvers<string>();
  const close = async () => {
    closing.resolve("");
    await control.shutdown();
  };
  const control = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen() {},
  }, async ({ url }) => {
    const [name = "", question = ""] = new URL(url).pathname.slice(1).split(
      "/",
    );
    const answer = of(decodeURIComponent(name)).answer(question);
    return new Response(await Promise.race([answer, closing.promise]));
  });
  try {
    const workerd = await startWorkerd(
      Object.fromEntries(
        Object.entries(services).map((
          [name, service],
        ) => [name, { role: "tell" as const, ...service }]),
      ),
      {
        port: control.addr.port,
        note: (note) => of(note.service).take(note),
      },
    );
    const [port = 0] = workerd.ports.values();
    return {
      port,
      ports: workerd.ports,
      closesOnSignal: false,
      order(order) {
        const one = of(order.service);
        one.obey(order);
        return Promise.resolve(one.facts);
      },
      async [Symbol.asyncDispose]() {
        closing.resolve(""); // it waits for what it has asked
        try {
          await workerd[Symbol.asyncDispose]();
        } finally {
          await close();
        }
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}
