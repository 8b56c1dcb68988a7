/**
 * Signatures of which one byte is another: a header that is required is refused
 * at that byte, and if it is optional all of it is payload. On every runtime.
 */

import { assertEquals } from "@std/assert";
import { concat, utf8 } from "../_bytes.ts";
import { V1, V2 } from "./_headers.ts";
import { type Exchange, play } from "./_play.ts";
import { HOSTS, NODE_HOSTS } from "./_servers.ts";
import type { Services } from "./_service.ts";

const PAYLOAD = utf8("payload");

/** Both headers, each with another byte at each place of its signature. */
const BROKEN = [{ bytes: V1.bytes, length: 6 }, { bytes: V2.bytes, length: 12 }]
  .flatMap(({ bytes, length }) =>
    Array.from({ length }, (_, at) => {
      const broken = bytes.slice();
      broken[at] = (bytes[at] ?? 0) ^ 0x20;
      return { at, broken };
    })
  );

const SERVICES: Services = {
  require: { options: { trust: ["127.0.0.1"] } },
  optional: { options: { trust: ["127.0.0.1"], header: "optional" } },
  direct: { options: { trust: [], untrusted: "direct" } },
};

const STARTS = {
  ...HOSTS,
  ...Object.fromEntries(
    Object.entries(NODE_HOSTS).map((
      [name, start],
    ) => [`./node on ${name}`, start]),
  ),
};

/** In one piece, and cut before the byte that is broken. */
function waysOf(bytes: Uint8Array, at: number): Uint8Array[][] {
  const cut = [bytes.subarray(0, at), bytes.subarray(at)];
  return at === 0 ? [[bytes]] : [[bytes], cut];
}

for (const [runtime, start] of Object.entries(STARTS)) {
  Deno.test(`${BROKEN.length} broken signatures are refused where they are broken, or payload, on ${runtime}`, async () => {
    await using host = await start(SERVICES);
    const playAt = (service: string, exchange: Exchange) =>
      play(host.ports.get(service) ?? 0, exchange);
    const offsets: number[] = [];
    await Promise.all(BROKEN.map(async ({ at, broken }) => {
      const payload = concat([broken, PAYLOAD]);
      for (const pieces of waysOf(payload, at)) {
        offsets.push(at);
        const exchange = { pieces, payload };
        const nobody = { ...exchange, sees: "nobody", isSilent: true } as const;
        await playAt("require", nobody);
        for (const service of ["optional", "direct"]) {
          await playAt(service, { ...exchange, sees: "real" });
        }
      }
    }));
    const { services } = await host.facts();
    const { stats, rejected = [] } = services.require ?? {};
    const ascending = (a: number, b: number) => a - b;
    assertEquals(
      rejected.map(({ offset }) => offset).sort(ascending),
      offsets.sort(ascending),
    );
    assertEquals(stats?.rejected, { signature: offsets.length });
    for (const service of ["optional", "direct"]) {
      const { stats } = services[service] ?? {};
      assertEquals([stats?.direct, stats?.accepted, stats?.rejected], [
        offsets.length,
        offsets.length,
        {},
      ]);
    }
    await host.end();
  });
}
