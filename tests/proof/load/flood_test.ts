/** Far more connections at once than headers may be pending. */

import { assertEquals } from "@std/assert";
import { isPeerGone } from "../../../conn/admission/refusal.ts";
import { assertClosed } from "../../conn/_loopback.ts";
import { HEADER, receive, send } from "../../conn/_peers.ts";
import { HOSTS } from "../../on/_servers.ts";
import {
  answerTo,
  closeAll,
  dialMany,
  inBatches,
  NAME,
  pendingOf,
  until,
} from "./_load.ts";

const MAX_PENDING = 100;
const TOO_MANY = 1000;

for (const [runtime, start] of Object.entries(HOSTS)) {
  Deno.test(`a flood over maxPending is refused and ends no pending connection on ${runtime}`, async () => {
    const options = { trust: ["127.0.0.1"], maxPending: MAX_PENDING };
    await using host = await start({ [NAME]: { options } });
    const first = await dialMany(host.port, MAX_PENDING, HEADER.subarray(0, 9));
    await until(host, "full", (facts) => pendingOf(facts) === MAX_PENDING);
    await inBatches(TOO_MANY, () => assertRefused(host.port));
    for (const conn of first) {
      await send(conn, HEADER.subarray(9));
      await conn.closeWrite();
      assertEquals(await receive(conn), answerTo(new Uint8Array()));
    }
    const { services } = await host.facts();
    assertEquals(services[NAME]?.stats, {
      accepted: MAX_PENDING,
      direct: 0,
      local: 0,
      pending: 0,
      rejected: { overload: TOO_MANY },
    });
    closeAll(first);
    await host.end();
  });
}

async function assertRefused(port: number): Promise<void> {
  try {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    await assertClosed(conn);
  } catch (error) {
    // Before the system has told that it is connected.
    if (!isPeerGone(error)) throw error;
  }
}
