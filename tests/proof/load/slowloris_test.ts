/**
 * Good clients beside thousands of peers that never end their header, each of
 * which says another byte now and then.
 */

import { assert, assertEquals } from "@std/assert";
import { encode } from "../../../mod.ts";
import { CLIENT } from "../../conn/_peers.ts";
import type { Facts } from "../../on/_service.ts";
import { HOSTS } from "../../on/_servers.ts";
import {
  closeAll,
  dialMany,
  NAME,
  pendingOf,
  timeToFirstByte,
  until,
} from "./_load.ts";

const PEERS = 5000;

/** Times of which the median is taken. */
const SAMPLES = 200;

/** Bytes that the peers say between two samples. */
const BYTES_BETWEEN = 10;

/** Time to the first byte beside the peers, compared to that without them. */
const MOST_SLOWER = 2;

/** Heap after a second attack, compared to that after the first. */
const MOST_GROWTH = 1.1;

/** A header of which nobody sees the end. */
const LONG = encode({ ...CLIENT, tlvs: { NETNS: "x".repeat(1000) } });

async function medianTime(
  port: number,
  between: () => Promise<unknown> = () => Promise.resolve(),
): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < SAMPLES; i++) {
    times.push(await timeToFirstByte(port));
    await between();
  }
  return times.sort((a, b) => a - b)[SAMPLES >> 1] ?? NaN;
}

for (const [runtime, start] of Object.entries(HOSTS)) {
  Deno.test(`${PEERS} peers in the middle of their header slow nobody down on ${runtime}`, async (t) => {
    const options = {
      trust: ["127.0.0.1"],
      timeout: 60_000,
      maxPending: 2 * PEERS,
    };
    await using host = await start({ [NAME]: { options } });
    const attack = async () => {
      const quiet = await medianTime(host.port);
      const conns = await dialMany(host.port, PEERS, LONG.subarray(0, 20));
      await until(host, "pending", (facts) => pendingOf(facts) === PEERS);
      let said = 0;
      const busy = await medianTime(host.port, async () => {
        for (let i = 0; i < BYTES_BETWEEN; i++, said++) {
          const at = 20 + Math.floor(said / PEERS);
          await conns[said % PEERS]?.write(LONG.subarray(at, at + 1));
        }
      });
      closeAll(conns);
      const isOver = (facts: Facts) => pendingOf(facts) === 0;
      const { files, heap } = await until(host, "over", isOver);
      return { quiet, busy, files, heap };
    };
    await medianTime(host.port);
    const first = await attack(); // after which the runtime has what it keeps
    const attacks = [first];
    // A busy machine may spoil one of them.
    while (attacks.length < 2 || !attacks.some(isFast) && attacks.length < 3) {
      attacks.push(await attack());
    }
    const told = JSON.stringify(attacks);
    await t.step("good clients wait no longer", () => {
      assert(attacks.some(isFast), told);
    });
    await t.step("nothing is kept", async () => {
      await until(
        host,
        `as after the first of ${told}`,
        ({ files, heap }) =>
          files === first.files && heap <= MOST_GROWTH * first.heap,
      );
    });
    const { services } = await host.facts();
    assertEquals(services[NAME]?.stats?.rejected, {
      incomplete: attacks.length * PEERS,
    });
    await host.end();
  });
}

function isFast({ quiet, busy }: { quiet: number; busy: number }): boolean {
  return busy <= MOST_SLOWER * quiet;
}
