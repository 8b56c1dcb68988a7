/**
 * Good clients beside thousands of peers that never end their header, each of
 * which says another byte now and then.
 */

import { assert, assertEquals } from "@std/assert";
import { encode } from "../../../mod.ts";
import { LONGEST_RUN } from "../../_within.ts";
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

/** To compare with: as many bytes, from far fewer peers. */
const FEW = 50;

/** Connections that are served meanwhile. */
const SERVED = 200;

/** Bytes that the peers say between two of them. */
const BYTES_BETWEEN = 10;

/**
 * Work beside all peers, compared to that beside few. Whatever looks at each
 * peer would take a hundred times as long.
 */
const MOST_WORK = 2;

/** An attack that the garbage collector makes dear counts only if the next ones are too. */
const ATTEMPTS = 5;

/** Heap after a second attack, compared to that after the first. */
const MOST_GROWTH = 1.1;

/** A header of which nobody sees the end. */
const LONG = encode({ ...CLIENT, tlvs: { NETNS: "x".repeat(1000) } });

for (const [runtime, start] of Object.entries(HOSTS)) {
  Deno.test(`${PEERS} peers in the middle of their header slow nobody down on ${runtime}`, async (t) => {
    const options = {
      trust: ["127.0.0.1"],
      timeout: LONGEST_RUN,
      maxPending: 2 * PEERS,
    };
    await using host = await start({ [NAME]: { options } });
    let attacks = 0;
    /** The work of the server, in ms of the processor: no clock, which others slow down. */
    const attack = async (peers: number) => {
      const conns = await dialMany(host.port, peers, LONG.subarray(0, 20));
      const isPending = (facts: Facts) => pendingOf(facts) === peers;
      const before = await until(host, "pending", isPending);
      let said = 0;
      for (let i = 0; i < SERVED; i++) {
        await timeToFirstByte(host.port);
        for (let byte = 0; byte < BYTES_BETWEEN; byte++, said++) {
          const at = 20 + Math.floor(said / peers);
          await conns[said % peers]?.write(LONG.subarray(at, at + 1));
        }
      }
      const after = await host.facts();
      closeAll(conns);
      attacks += peers;
      const isOver = (facts: Facts) => pendingOf(facts) === 0;
      const { files, heap } = await until(host, "over", isOver);
      return { work: after.cpu - before.cpu, files, heap };
    };
    await attack(FEW); // after which the runtime has compiled what it runs
    const first = await attack(PEERS); // and has what it keeps
    const seen: number[][] = [];
    const isFair = () =>
      seen.some(([few = 0, all = Infinity]) => all <= MOST_WORK * few);
    while (seen.length < ATTEMPTS && !isFair()) {
      const [few, all] = [await attack(FEW), await attack(PEERS)];
      seen.push([few.work, all.work]);
    }
    const told = JSON.stringify(seen);
    await t.step("good clients wait no longer", () => assert(isFair(), told));
    await t.step("nothing is kept", async () => {
      await until(
        host,
        `as after the first, ${JSON.stringify(first)}`,
        ({ files, heap }) =>
          files <= first.files && heap <= MOST_GROWTH * first.heap,
      );
    });
    const { services } = await host.facts();
    assertEquals(services[NAME]?.stats?.rejected, { incomplete: attacks });
    await host.end();
  });
}
