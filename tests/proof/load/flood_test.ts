/** Far more silent connections at once than headers may be pending. */

import { assertEquals } from "@std/assert";
import { HEADER, receive, send } from "../../conn/_peers.ts";
import { HOSTS } from "../../on/_servers.ts";
import type { Facts } from "../../on/_service.ts";
import {
  answerTo,
  closeAll,
  dialMany,
  NAME,
  pendingOf,
  until,
} from "./_load.ts";

const MAX_PENDING = 100;
const SILENT = 1000;
const HONEST = 40;

for (const [runtime, start] of Object.entries(HOSTS)) {
  Deno.test(`a flood of silent peers keeps no honest one out on ${runtime}`, async () => {
    const options = { trust: ["127.0.0.1"], maxPending: MAX_PENDING };
    await using host = await start({ [NAME]: { options } });
    const part = HEADER.subarray(0, 9);
    const silent = await dialMany(host.port, MAX_PENDING, part);
    await until(host, "full", (facts) => pendingOf(facts) === MAX_PENDING);
    for (let i = 0; i < HONEST; i++) {
      const count = SILENT / HONEST;
      const [more] = await Promise.all([
        dialMany(host.port, count, part),
        assertServed(host.port),
      ]);
      silent.push(...more);
    }
    const isCounted = (facts: Facts) => {
      const stats = facts.services[NAME]?.stats;
      return stats !== undefined && stats.accepted === HONEST &&
        stats.pending <= MAX_PENDING &&
        stats.pending + (stats.rejected.overload ?? 0) === silent.length;
    };
    const { services } = await until(host, "counted", isCounted);
    assertEquals(Object.keys(services[NAME]?.stats?.rejected ?? {}), [
      "overload",
    ]);
    closeAll(silent);
    await host.end();
  });
}

async function assertServed(port: number): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await send(conn, HEADER);
  await conn.closeWrite();
  assertEquals(await receive(conn), answerTo(new Uint8Array()));
}
