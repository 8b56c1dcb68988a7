/**
 * Peers that have reset before the listener accepts them: each is counted as
 * empty and told to nobody, `trust` is not asked, and whoever comes next is
 * served. The server is stopped meanwhile, so that none is accepted before.
 */

import { assertEquals } from "@std/assert";
import { once } from "node:events";
import { connect } from "node:net";
import { concat, utf8 } from "../_bytes.ts";
import { within } from "../_within.ts";
import { CLIENT, HEADER } from "../conn/_peers.ts";
import { type Exchange, play } from "./_play.ts";
import { type Host, HOSTS, NODE_HOSTS } from "./_servers.ts";
import type { Services } from "./_service.ts";

const RESETS = 400;

/** Of those at once: less than each listener lets wait. */
const AT_ONCE = 100;

const TRUST = ["127.0.0.1"];

/** Listeners, by what they do with a peer that is still there. */
const SERVICES: Services = {
  believing: { options: { trust: TRUST } },
  // An error of the function would be told as "untrusted".
  asking: { options: { trust: TRUST }, watched: { asked: "trust throws" } },
  direct: { options: { trust: [], untrusted: "direct" } },
  optional: { options: { trust: "any", header: "optional" } },
};

const PAYLOAD = utf8("payload");

const { hostname, port } = CLIENT.source;

function exchange(
  sees: Exchange["sees"],
  payload: Uint8Array = PAYLOAD,
): Exchange {
  const pieces = [concat([HEADER, PAYLOAD])];
  return { pieces, sees, payload, isSilent: sees === "nobody" };
}

/** What comes to who is still there. */
const HONEST: Record<string, Exchange> = {
  believing: exchange({ hostname, port }),
  asking: exchange("nobody"),
  direct: exchange("real", concat([HEADER, PAYLOAD])),
  optional: exchange({ hostname, port }),
};

/** Dials, says something, and resets. */
async function reset(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" }).on("error", () => {});
  await within(once(socket, "connect"), "a connection");
  const { promise, resolve } = Promise.withResolvers<void>();
  if (bytes.length === 0) resolve();
  else socket.write(bytes, () => resolve());
  await within(promise, "a write");
  const closed = once(socket, "close");
  socket.resetAndDestroy();
  await within(closed, "a close");
}

/** Resets many connections while the server runs not. */
async function resetMany(
  host: Host,
  port: number,
  bytes: Uint8Array,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i += AT_ONCE) {
    Deno.kill(host.pid, "SIGSTOP");
    try {
      await Promise.all(
        Array.from({ length: AT_ONCE }, () => reset(port, bytes)),
      );
    } finally {
      Deno.kill(host.pid, "SIGCONT");
    }
    // One behind them: once it is closed they have been accepted.
    const probe = connect({ port, host: "127.0.0.1" }).on("error", () => {});
    const { promise, resolve } = Promise.withResolvers<void>();
    probe.on("close", () => resolve()).resume().end();
    await within(promise, "a close");
  }
}

/** A peer that comes without a byte ends a round, as `untrusted`, directly or as empty. */
const ROUNDS = RESETS / AT_ONCE;

const STARTS = {
  ...HOSTS,
  ...Object.fromEntries(
    Object.entries(NODE_HOSTS).map((
      [name, start],
    ) => [`./node on ${name}`, start]),
  ),
};

for (const [runtime, start] of Object.entries(STARTS)) {
  Deno.test(`${RESETS} resets before accept are empty, and nobody is asked about them, on ${runtime}`, async (t) => {
    await using host = await start(SERVICES);
    for (const name of Object.keys(SERVICES)) {
      await t.step(name, async () => {
        const port = host.ports.get(name) ?? 0;
        const half = RESETS / 2;
        await resetMany(host, port, new Uint8Array(), half);
        await resetMany(host, port, concat([HEADER, PAYLOAD]), half);
        const honest = HONEST[name];
        if (honest !== undefined) await play(port, honest);
        const { services } = await host.facts();
        const { stats, rejected } = services[name] ?? {};
        const { empty, untrusted = 0, ...others } = stats?.rejected ?? {};
        const probes = name === "direct" || name === "asking" ? 0 : ROUNDS;
        assertEquals(empty, RESETS + probes);
        assertEquals(untrusted, name === "asking" ? ROUNDS + 1 : 0);
        assertEquals(others, {});
        assertEquals(rejected?.length, untrusted);
        assertEquals(stats?.direct, name === "direct" ? ROUNDS + 1 : 0);
        assertEquals(stats?.pending, 0);
      });
    }
    await host.end();
  });
}
