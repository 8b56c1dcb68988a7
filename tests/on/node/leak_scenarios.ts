/** Nothing is left behind by thousands of connections; run by `tests/proof/load`. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { createServer } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { encode } from "../../../codec/mod.ts";
import { proxied } from "../../../conn/node.ts";
import {
  connectionsOf,
  dial,
  echo,
  HEADER,
  listening,
  TRUST,
  until,
} from "./_kit.ts";

/** Open descriptors of this process. */
function openFiles(): number {
  return readdirSync("/proc/self/fd").length;
}

test(
  "proxied() leaves no descriptor behind after 5000 good and bad connections",
  {
    skip: process.platform !== "linux",
  },
  async () => {
    const kinds: (Uint8Array | string)[][] = [
      [HEADER, "payload"],
      [HEADER],
      [encode({ command: "LOCAL" }), "payload"],
      ["GET / HTTP/1.1\r\n\r\n"],
      [HEADER.subarray(0, 20)],
      [],
    ];
    const server = proxied(createServer(echo), { trust: TRUST, timeout: 300 });
    let start = 0;
    await listening(server, async (port) => {
      const round = (size: number) =>
        Promise.all(Array.from({ length: size }, async (_, i) => {
          const client = await dial(port, ...kinds[i % kinds.length] ?? []);
          if (i % 5 === 0) client.socket.resetAndDestroy();
          else if (i % 7 > 0) client.socket.end(); // the rest waits for its deadline
          else if (i % kinds.length < 3) client.socket.destroy();
          await client.rest();
          client.socket.destroy();
        }));
      await round(50); // what is opened once and kept
      await until("all to be gone", () => server.stats.pending === 0);
      while (await connectionsOf(server) > 0) await setImmediate();
      start = openFiles();
      for (let i = 0; i < 20; i++) await round(250);
      while (await connectionsOf(server) > 0) await setImmediate();
      await until("the descriptors to be closed", () => openFiles() <= start);
    });
    const { accepted, pending, rejected } = server.stats;
    assert.equal(pending, 0);
    const refused = Object.values(rejected).reduce((sum, n) => sum + n, 0);
    assert(accepted > 200 && refused > 200, JSON.stringify(server.stats));
  },
);
