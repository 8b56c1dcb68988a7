/** What is left behind by thousands of connections: counted in a process of its own. */

import { assertEquals } from "@std/assert";
import { LONGEST_WAIT } from "../../_within.ts";
import { ascii } from "../../codec/_hex.ts";
import { HEADER, receive } from "../../conn/_peers.ts";
import { HOSTS } from "../../on/_servers.ts";
import { answerTo, inBatches, NAME, until } from "./_load.ts";

/** Connections of each kind. */
const EACH = 1000;

/** What a peer sends, by what becomes of it. */
const PEERS: readonly [outcome: string, bytes: Uint8Array][] = [
  ["accepted", HEADER],
  ["signature", ascii("GET / HTTP/1.1\r\n")],
  ["port", ascii("PROXY TCP4 192.0.2.1 198.51.100.1 1 70000\r\n")],
  ["incomplete", HEADER.subarray(0, 20)],
  ["empty", new Uint8Array()],
];

const TOTAL = EACH * PEERS.length;

/** Everything that a server says to a peer that sends this and ends. */
async function visit(port: number, bytes: Uint8Array): Promise<Uint8Array> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(bytes);
  // A rejected peer may be closed before.
  await conn.closeWrite().catch(() => {});
  return await receive(conn);
}

for (const [runtime, start] of Object.entries(HOSTS)) {
  Deno.test(`${TOTAL} mixed connections leave no descriptor behind on ${runtime}`, async () => {
    const options = { trust: ["127.0.0.1"], timeout: LONGEST_WAIT };
    await using host = await start({ [NAME]: { options } });
    await visit(host.port, HEADER); // what the runtime opens once for all
    const { files } = await host.facts();
    const peers = Array.from({ length: EACH }, () => PEERS).flat().values();
    await inBatches(TOTAL, async () => {
      const [outcome, bytes] = peers.next().value ?? ["", HEADER];
      const isGood = outcome === "accepted";
      const answer = isGood ? answerTo(new Uint8Array()) : new Uint8Array();
      assertEquals(await visit(host.port, bytes), answer);
    });
    const { services } = await until(
      host,
      `back at ${files} files`,
      (facts) => facts.files <= files,
    );
    const [, ...rejected] = PEERS;
    assertEquals(services[NAME]?.stats, {
      accepted: 1 + EACH,
      direct: 0,
      local: 0,
      pending: 0,
      rejected: Object.fromEntries(rejected.map(([code]) => [code, EACH])),
    });
    await host.end();
  });
}
