/** Peers that send and send, and read nothing of what is sent back. */

import { assert } from "@std/assert";
import { assertBytes } from "../../_bytes.ts";
import { within } from "../../_within.ts";
import { receive } from "../../conn/_loopback.ts";
import { HEADER } from "../../conn/_peers.ts";
import { HOSTS } from "../../on/_servers.ts";
import {
  BLOCK,
  closeAll,
  dialMany,
  NAME,
  sendUntilStalled,
  timeToFirstByte,
  TOLD,
} from "./_load.ts";

const PEERS = 4;

/** What the server itself may hold for all of them, in bytes. */
const MOST_HELD = 32 << 20;

for (const [runtime, start] of Object.entries(HOSTS)) {
  Deno.test(`peers that read nothing are read no further on ${runtime}`, async () => {
    await using host = await start({
      [NAME]: { options: { trust: ["127.0.0.1"] } },
    });
    await timeToFirstByte(host.port);
    const before = await host.facts();
    const conns = await dialMany(host.port, PEERS, HEADER);
    const stalled = await Promise.all(conns.map(sendUntilStalled));
    const { heap, memory } = await host.facts();
    assert(heap - before.heap < MOST_HELD, `heap ${heap}`);
    assert(memory - before.memory < MOST_HELD, `memory ${memory}`);
    await within(timeToFirstByte(host.port), "another client to be served");
    // Whoever reads then gets all of it.
    await Promise.all(conns.map(async (conn, i) => {
      const { blocks = 0, waiting } = stalled[i] ?? {};
      const told = await receive(conn, TOLD.length);
      assertBytes(told, TOLD);
      for (let block = 0; block < blocks; block++) {
        assertBytes(await receive(conn, BLOCK.length), BLOCK);
      }
      await waiting;
    }));
    closeAll(conns);
    await host.end();
  });
}
