/** 200 MB each way, of which one side sleeps: memory is bounded as without us. */

import { assert, assertEquals } from "@std/assert";
import { Client } from "./_kit.ts";
import { type Program, start } from "./_program.ts";

/** How much is sent, in bytes. */
const LENGTH = 200_000_000;

/** How much more memory than a bare server ours may take, in bytes. */
const MOST = 50_000_000;

/** The most memory that a process has had, in bytes. */
async function peakOf({ pid }: Program): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  return 1024 * Number(/^VmHWM:\s*(\d+) kB/m.exec(status)?.[1]);
}

/** Puts both servers through something, and returns the peaks of their memory. */
async function peaks(
  play: (dial: () => Promise<Client>) => Promise<void>,
): Promise<{ bare: number; ours: number }> {
  const [bare = 0, ours = 0] = await Promise.all(
    ["bare", "ours"].map(async (kind) => {
      const program = await start("_bodies_server.ts", [kind]);
      const addr = { port: Number(program.first) };
      const dial = () =>
        kind === "bare" ? Client.dial({ addr }, "") : Client.dial({ addr });
      await play(dial);
      const peak = await peakOf(program);
      await program.finish();
      return peak;
    }),
  );
  return { bare, ours };
}

const OPTIONS = { ignore: Deno.build.os !== "linux" };

Deno.test(
  "serveHttp() takes 200 MB for a slow reader within bounded memory",
  OPTIONS,
  async () => {
    const { bare, ours } = await peaks(async (dial) => {
      using client = await dial();
      await client.send(
        `POST /upload HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${LENGTH}\r\n\r\n`,
      );
      const chunk = new Uint8Array(1_000_000);
      for (let sent = 0; sent < LENGTH; sent += chunk.length) {
        await client.send(chunk);
      }
      assertEquals((await client.answer()).body, String(LENGTH));
    });
    assert(ours < bare + MOST, `${ours} bytes, ${bare} without`);
  },
);

Deno.test(
  "serveHttp() gives 200 MB to a client that sleeps within bounded memory",
  OPTIONS,
  async () => {
    const { bare, ours } = await peaks(async (dial) => {
      using client = await dial();
      await client.send(
        "GET /download HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      );
      // Until the server is held up, it produces.
      using other = await dial();
      let before = -1;
      for (;;) {
        const produced = Number((await other.ask("/count")).body);
        if (produced > 0 && produced === before) break;
        before = produced;
        await new Promise((resolve) => setTimeout(resolve, 300));
      }
      assert(
        before < LENGTH / 4,
        `${before} bytes were produced for a sleeper`,
      );
      const buffer = new Uint8Array(1_000_000);
      let received = 0;
      for (;;) {
        const count = await client.conn.read(buffer);
        if (count === null) break;
        received += count;
      }
      assert(received > LENGTH); // chunked
    });
    assert(ours < bare + MOST, `${ours} bytes, ${bare} without`);
  },
);
