/**
 * Mixed behaviour, good and hostile, at every kind of server of every runtime at
 * once. A seed decides what each peer does: `CHAOS_SEED=7` replays a run,
 * `CHAOS_PEERS=10000` makes it longer.
 */

import { assert, assertEquals } from "@std/assert";
import type { ListenerStats } from "../../../mod.ts";
import {
  type Host,
  HOSTS,
  NODE_HOSTS,
  startOnNode,
} from "../../on/_servers.ts";
import type { Facts, Kind, Rejected, Services } from "../../on/_service.ts";
import { Random } from "../fuzz/_random.ts";
import {
  type Act,
  ACTS,
  askHonestly,
  DEADLINE,
  type Fate,
} from "./_chaos_acts.ts";
import { Peer, type Target } from "./_chaos_peer.ts";
import { until } from "./_load.ts";

const SEED = Number(Deno.env.get("CHAOS_SEED") ?? 20260427);

/** Peers of each server. */
const PEERS = Number(Deno.env.get("CHAOS_PEERS") ?? 200);

/** Those of them that come first: after them a runtime has what it keeps. */
const FIRST = PEERS / 2;

/** Peers of each server that are there at the same time. */
const AT_ONCE = 16;

/** Heap after all peers, compared to that after the first. */
const MOST_GROWTH = 1.15;

/**
 * What Deno itself keeps of a peer, in bytes, as most: 6.6 kB of each handshake
 * that fails in a server of `node:tls`, 1 kB of a peer of all kinds.
 */
const KEPT_BY_DENO = 3000;

/** After so many looks at the same number of descriptors nothing is going on. */
const CALM_LOOKS = 10;

const NATIVE: readonly Kind[] = ["bytes", "tls"];

const OF_NODE: readonly Kind[] = [
  ...["bytes", "tls", "http", "https", "http2", "http2 in TLS"] as const,
];

/** How servers are started together, and their kinds. */
interface Entry {
  name: string;
  start(services: Services): Promise<Host>;
  kinds: readonly Kind[];
  /** Where TLS of these kinds is. */
  tls: Exclude<Target["tls"], "none">;
}

const ENTRIES: readonly Entry[] = [
  ...Object.entries({ Deno: HOSTS.Deno, Bun: HOSTS.Bun }).flatMap(
    ([name, start]): Entry[] =>
      start ? [{ name, start, kinds: NATIVE, tls: "around the header" }] : [],
  ),
  ...Object.entries({ ...NODE_HOSTS, "node 24": startOnNode }).map(
    ([name, start]): Entry => ({
      name: `./node on ${name}`,
      start,
      kinds: OF_NODE,
      tls: "after the header",
    }),
  ),
];

/** A server under attack. */
interface Attacked {
  name: string;
  target: Target;
  /** What has been done to it. */
  played: Played[];
}

/** A peer, and what its server has to make of it. */
interface Played {
  port: number;
  act: string;
  fate: Fate;
}

const HONEST: Act = {
  name: "an honest client",
  fate: ["accepted"],
  play: askHonestly,
};

/** What a peer of a number does. */
function actOf(target: Target, random: Random): Act {
  const suiting = ACTS.filter(({ suits }) => suits?.(target) ?? true);
  return random.pick(
    suiting.flatMap((act) => Array.from({ length: act.share ?? 1 }, () => act)),
  );
}

async function play(
  { name, target, played }: Attacked,
  act: Act,
  random: Random,
  number: number,
): Promise<void> {
  const peer = await Peer.dial(target);
  played.push({ port: peer.port, act: act.name, fate: act.fate });
  try {
    await act.play(peer, random);
  } catch (error) {
    throw new Error(
      `CHAOS_SEED=${SEED}: peer ${number} of ${name}: ${act.name}`,
      {
        cause: error,
      },
    );
  } finally {
    peer.close();
  }
}

/** Plays peers of these numbers, many at once. */
async function playAll(
  attacked: Attacked,
  from: number,
  to: number,
): Promise<void> {
  let next = from;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < to) {
      const number = next++;
      const random = new Random(SEED, number);
      await play(attacked, actOf(attacked.target, random), random, number);
    }
  }));
}

function statsOf({ services }: Facts, name: string): ListenerStats {
  const stats = services[name]?.stats;
  assert(stats);
  return stats;
}

function rejectedOf({ rejected }: ListenerStats): number {
  return Object.values(rejected).reduce((sum, count) => sum + count, 0);
}

/** Waits until no more descriptors are opened or closed. */
async function atRest(host: Host): Promise<Facts> {
  let last = Infinity;
  let looks = 0;
  return await until(host, "at rest", ({ files }) => {
    looks = files === last ? looks + 1 : 0;
    last = files;
    return looks === CALM_LOOKS;
  });
}

/** Whether every peer of every server has been counted. */
function isCounted(facts: Facts, all: readonly Attacked[]): boolean {
  return all.every(({ name, played }) => {
    const stats = statsOf(facts, name);
    return stats.pending === 0 &&
      stats.accepted + rejectedOf(stats) >= played.length;
  });
}

/** Makes sure that each peer is counted once, and has come to what it may. */
function assertFates(
  played: readonly Played[],
  stats: ListenerStats,
  log: readonly Rejected[],
): void {
  assertEquals(stats.accepted + rejectedOf(stats), played.length, "counted");
  assertEquals(stats.pending, 0);
  assertEquals(log.length, rejectedOf(stats) - (stats.rejected.empty ?? 0));
  const may = ({ fate }: Played, code: string) =>
    fate.some((one) => one === code);
  // A port that was used twice tells nothing of either peer.
  const byPort = Map.groupBy(played, ({ port }) => port);
  for (const [port, peers] of byPort) {
    const [one] = peers;
    if (port === 0 || peers.length > 1 || one === undefined) continue;
    const codes = log.filter((entry) => entry.port === port).map(({ code }) =>
      code
    );
    assert(codes.length <= 1, `${one.act} is told twice: ${codes}`);
    const isRight = codes[0] === undefined
      ? may(one, "accepted") || may(one, "empty")
      : may(one, codes[0]);
    assert(isRight, `${one.act} of port ${port} has come to ${codes}`);
  }
  const isOnly = ({ fate }: Played, code: string) =>
    fate.every((one) => one === code);
  const least = (code: string) => played.filter((one) => isOnly(one, code));
  const most = (code: string) => played.filter((one) => may(one, code));
  const seen = Object.entries({ accepted: stats.accepted, ...stats.rejected });
  for (const [code, count] of seen) {
    const range = [least(code).length, most(code).length] as const;
    assert(
      range[0] <= count && count <= range[1],
      `${count} ${code} instead of ${range.join(" to ")}`,
    );
  }
}

for (const { name: entry, start, kinds, tls } of ENTRIES) {
  Deno.test(`chaos ends no server and leaves nothing behind, ${entry}, seed ${SEED}`, async (t) => {
    const folder = await Deno.makeTempDir();
    try {
      const path = `${folder}/socket`;
      const options = { trust: ["127.0.0.1", "unix"], timeout: DEADLINE };
      const services: Services = {
        ...Object.fromEntries(kinds.map((kind) => [kind, { options, kind }])),
        "a path": { options, path },
      };
      await using host = await start(services);
      const all = Object.entries(services).map(([name, { kind = "bytes" }]) => {
        const to = name === "a path" ? path : host.ports.get(name) ?? 0;
        const isTls = /tls|https/i.test(kind);
        const target: Target = {
          to,
          kind,
          tls: isTls ? tls : "none",
        };
        return { name, target, played: [] } satisfies Attacked;
      });
      const honest = async () => {
        for (const one of all) await play(one, HONEST, new Random(SEED), -1);
      };
      await honest();
      const playFrom = async (from: number, to: number) => {
        await Promise.all(all.map((one) => playAll(one, from, to)));
        await honest();
        return await until(host, "counted", (facts) => isCounted(facts, all));
      };
      await playFrom(0, FIRST);
      const rest = await atRest(host);
      await playFrom(FIRST, PEERS);
      const later = all.length * (PEERS - FIRST);
      const kept = entry === "./node on Deno" ? KEPT_BY_DENO * later : 0;
      const mostHeap = MOST_GROWTH * rest.heap + kept;
      await t.step("nothing is left behind", async () => {
        await until(
          host,
          `as after the first, ${rest.files} files and a heap of ${rest.heap}`,
          ({ files, heap }) => files <= rest.files && heap <= mostHeap,
        );
      });
      const facts = await host.facts();
      for (const { name, played } of all) {
        await t.step(`${name}: every peer is counted once`, () => {
          const log = facts.services[name]?.rejected ?? [];
          try {
            assertFates(played, statsOf(facts, name), log);
          } catch (error) {
            const told = JSON.stringify(statsOf(facts, name));
            throw new Error(`CHAOS_SEED=${SEED}: ${told}`, { cause: error });
          }
        });
      }
      await host.end();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}
