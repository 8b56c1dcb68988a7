/** More connections than the server may have files. */

import { assert } from "@std/assert";
import { assertBytes } from "../../_bytes.ts";
import { within } from "../../_within.ts";
import { receive } from "../../conn/_loopback.ts";
import { HEADER } from "../../conn/_peers.ts";
import { HOSTS } from "../../on/_servers.ts";
import {
  closeAll,
  dialMany,
  NAME,
  timeToFirstByte,
  TOLD,
  until,
} from "./_load.ts";

const MOST_FILES = 64;
const PEERS = 100;

/** Of the peers, those that stay. */
const STAYING = 10;

/** How long the server is out of files, in ms, and what it may work meanwhile. */
const WITHOUT_FILES = 1500;
const MOST_WORK = 0.5 * WITHOUT_FILES;

for (const [runtime, start] of Object.entries(HOSTS)) {
  Deno.test(`a listener out of files waits for them on ${runtime}`, async () => {
    const options = { trust: ["127.0.0.1"] };
    await using host = await start({ [NAME]: { options } }, MOST_FILES);
    await timeToFirstByte(host.port);
    const conns = await dialMany(host.port, PEERS, HEADER);
    const full = await until(
      host,
      "out of files",
      ({ files }) => files >= MOST_FILES,
    );
    await new Promise((resolve) => setTimeout(resolve, WITHOUT_FILES));
    const { cpu } = await host.facts();
    const work = cpu - full.cpu;
    // A listener of Bun itself never rests while it is out of files.
    assert(runtime === "Bun" || work < MOST_WORK, `${work} ms of work`);
    // Once there are files again, who waits in the queue of the system is served.
    closeAll(conns.slice(STAYING));
    await within(timeToFirstByte(host.port), "another client to be served");
    for (const conn of conns.slice(0, STAYING)) {
      assertBytes(await receive(conn, TOLD.length), TOLD);
    }
    closeAll(conns.slice(0, STAYING));
    await host.end();
  });
}
