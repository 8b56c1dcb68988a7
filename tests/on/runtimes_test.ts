/**
 * The scenarios of `_scenarios.ts` on every runtime: what the application and
 * `verify` see, what comes back, the errors and the stats are the same
 * everywhere. The steps name runtime and scenario.
 */

import { assertEquals } from "@std/assert";
import type { ListenerStats } from "../../mod.ts";
import { assertBytes } from "../_bytes.ts";
import { DIRECT } from "./_expect.ts";
import {
  DEFAULT_OPTIONS,
  type Failure,
  type Outcome,
  type Scenario,
} from "./_scenario.ts";
import { SCENARIOS } from "./_scenarios.ts";
import {
  HOSTS,
  NODE_HOSTS,
  RUNTIMES,
  type Server,
  startOnNode,
} from "./_servers.ts";
import type { Service, ServiceFacts, Services, Watched } from "./_service.ts";
import { type Outcomes, Play } from "./_stage.ts";

/** How many scenarios run at once. */
const AT_ONCE = 32;

/** A way into the library. */
interface Entry {
  name: string;
  start(services: Services): Promise<Server>;
  scenarios: readonly Scenario[];
  server?: Watched["server"];
}

/** Those in which nobody is served need no client that speaks more than the header. */
const ALL_REFUSED = SCENARIOS.filter(({ options, expected }) =>
  !options?.lazy && expected.every(({ served }) => served === undefined)
);

const ENTRIES: readonly Entry[] = [
  ...Object.entries(RUNTIMES).map(([name, start]) => ({
    name,
    start,
    scenarios: SCENARIOS.filter(({ isOfListener, options }) =>
      name in HOSTS || !(isOfListener || options?.lazy)
    ),
  })),
  ...Object.entries(NODE_HOSTS).map(([name, start]) => ({
    name: `./node on ${name}`,
    start,
    scenarios: SCENARIOS,
  })),
  ...(["http", "tls"] as const).map((server) => ({
    name: `${server} of ./node`,
    start: startOnNode,
    scenarios: ALL_REFUSED,
    server,
  })),
];

/** The service of a scenario, as a plain word. */
function serviceOf(scenario: Scenario): string {
  return scenario.group?.replaceAll(" ", "-") ??
    `scenario-${SCENARIOS.indexOf(scenario)}`;
}

for (const { name: entry, start, scenarios, server: kind } of ENTRIES) {
  Deno.test(`${entry} serves and refuses what all runtimes do`, async (t) => {
    const services = Object.fromEntries(scenarios.map((scenario) => {
      const watched = { ...scenario.watched, ...(kind && { server: kind }) };
      const options = { ...DEFAULT_OPTIONS, ...scenario.options };
      const service: Service = { options, watched };
      return [serviceOf(scenario), service];
    }));
    await using server = await start(services);
    const plays = new Map<Scenario, { play: Play; failure?: unknown }>();
    const waiting = scenarios.values();
    const workers = Array.from({ length: AT_ONCE }, async () => {
      for (const scenario of waiting) {
        const isAlone = scenario.group === undefined;
        const play = new Play(server, serviceOf(scenario), isAlone);
        await play.run(scenario).then(
          () => plays.set(scenario, { play }),
          (failure) => plays.set(scenario, { play, failure }),
        );
      }
    });
    await Promise.all(workers);
    // When all is over, so that what is told twice, or late, shows as well.
    const told = new Map<string, ServiceFacts>();
    for (const service of Object.keys(services)) {
      told.set(service, await server.order({ service, do: "tell" }));
    }
    const ends = new Map<string, Outcome[]>();
    for (const [scenario, { play, failure }] of plays) {
      const service = serviceOf(scenario);
      const facts = told.get(service);
      const heard = scenario.expected.slice(0, play.count);
      ends.set(service, [...ends.get(service) ?? [], ...heard]);
      await t.step(`${entry}: ${scenario.name}`, () => {
        if (facts === undefined) throw new Error("Nothing is told");
        try {
          const { outcomes, strays } = play.resultOf(facts);
          const located = play.expect(heard);
          compare(outcomes, located, facts.stats !== undefined);
          assertEquals(strays, []);
          if (facts.stats && scenario.group === undefined) {
            assertEquals(facts.stats, statsOf(heard));
          }
        } catch (difference) {
          throw failure === undefined
            ? difference
            : new AggregateError([failure, difference]);
        }
        if (failure !== undefined) throw failure;
      });
    }
    const groups = new Map(scenarios.map((one) => [one.group, serviceOf(one)]));
    for (const [group, service] of groups) {
      const stats = told.get(service)?.stats;
      if (group === undefined || stats === undefined) continue;
      await t.step(`${entry}: the stats of those ${group}`, () => {
        assertEquals(stats, statsOf(ends.get(service) ?? []));
      });
    }
  });
}

/** What a listener has counted when its clients have come to this. */
function statsOf(outcomes: readonly Outcome[]): ListenerStats {
  const headers = outcomes.flatMap(({ served }) => served?.header ?? []);
  const rejected: ListenerStats["rejected"] = {};
  for (const { error } of outcomes) {
    if (error) rejected[error.code] = (rejected[error.code] ?? 0) + 1;
  }
  return {
    accepted: headers.length,
    direct: headers.filter((header) => header === DIRECT.header).length,
    local: headers.filter((header) => header.includes(" LOCAL ")).length,
    pending: 0,
    rejected,
  };
}

/**
 * Makes sure that each client has come to what it should, once. A listener counts
 * who has sent nothing, but does not tell.
 */
function compare(
  outcomes: readonly Outcomes[],
  expected: readonly Outcome[],
  isListener: boolean,
): void {
  const told = outcomes.map(({ received: _, error, unready, ...rest }, i) => {
    const roughly = (one: Failure) => ({
      ...one,
      ...(expected[i]?.error?.received === "some" && one.received !== 0 &&
        { received: "some", offset: "some" }),
    });
    return {
      ...rest,
      error: error.map(roughly),
      unready: unready.map(roughly),
    };
  });
  assertEquals(
    told,
    expected.map(({ verified, greeted, served, error }) => ({
      verified: [verified ?? []].flat(),
      greeted: [greeted ?? []].flat(),
      served: [served ?? []].flat(),
      error: isListener && error?.code === "empty" ? [] : [error ?? []].flat(),
      // Whoever has it is told as well.
      unready: greeted === undefined ? [] : [error ?? []].flat(),
    })),
  );
  for (const [i, { received }] of outcomes.entries()) {
    assertBytes(received, expected[i]?.received ?? new Uint8Array());
  }
}
