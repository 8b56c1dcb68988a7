/** The option `define` of the connections: what is defined is in the info of each. */

import { assertEquals } from "@std/assert";
import { accept, defineTlv, encode, headerOf, proxied } from "../../mod.ts";
import { CLIENT, listen } from "./_peers.ts";
import { assertRefused, send, tcpPair, TRUST } from "./_loopback.ts";

const tenant = defineTlv({
  type: 0xe4,
  name: "TENANT",
  read(value) {
    if (value[0] === 0xff) throw new Error("no tenant");
    return value.length === 1 ? value[0] : undefined;
  },
});

const define = [tenant];

function bytesOf(value: number): Uint8Array {
  return encode({ ...CLIENT, tlvs: { xE4: Uint8Array.of(value) } });
}

Deno.test("accept() adds what is defined to the TLVs, for verify too", async () => {
  for (const lazy of [false, true]) {
    using pair = await tcpPair();
    await send(pair.client, bytesOf(7));
    const asked: unknown[] = [];
    const { conn } = await accept(pair.server, {
      trust: TRUST,
      lazy,
      define,
      verify: ({ tlvs }, { info }) => {
        asked.push(tlvs.TENANT, info?.tlvs.TENANT);
        return tlvs.TENANT === 7;
      },
    });
    const info = await conn.ready;
    assertEquals([info?.tlvs.TENANT, asked], [7, [7, 7]]);
  }
});

Deno.test("accept() rejects a header whose reader throws", async () => {
  using pair = await tcpPair();
  await send(pair.client, bytesOf(0xff));
  const accepting = accept(pair.server, { trust: TRUST, define });
  const { offset, message } = await assertRefused(accepting, "tlv");
  assertEquals(offset, 28);
  assertEquals(message.endsWith("its reader failed: no tenant"), true);
});

Deno.test("proxied() adds what is defined to the TLVs of each connection", async () => {
  const listener = proxied(listen(), { trust: TRUST, define });
  using _ = listener;
  for (const value of [1, 2]) {
    using client = await Deno.connect({
      hostname: "127.0.0.1",
      port: listener.addr.port,
    });
    await send(client, bytesOf(value));
    using conn = await listener.accept();
    assertEquals(conn.info?.tlvs.TENANT, value);
    assertEquals(conn.info && tenant(conn.info), value);
    // The bytes are passed on, not what they were read as.
    assertEquals(encode(headerOf(conn)), bytesOf(value));
  }
});
