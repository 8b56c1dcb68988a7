/** The clients of `_identity.ts`: `_identity_clients.ts OUTER INNER_PORT CONNECTIONS`. */

import process from "node:process";
import { setTimeout } from "node:timers/promises";
import type { ClientVerdict } from "./_identity.ts";
import { claimOf, concat, HttpClient, utf8 } from "./_kit.ts";

/** Connections at once. */
const WORKERS = 300;

/** Local processes that connect to the inner server, at once. */
const STRANGERS = 8;

const [outer = "", innerPort, connections] = process.argv.slice(2);
const verdict: ClientVerdict = {
  answered: 0,
  wrong: [],
  lost: 0,
  forbidden: 0,
};

function requestOf(id: number, body = "", search = ""): Uint8Array {
  return utf8(
    `POST /${id}${search} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}

/** Waits for answers, and compares whom they are for. */
async function expect(
  client: HttpClient,
  id: number,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    try {
      const { body } = await client.answer();
      if (body === `/${id}`) verdict.answered++;
      else verdict.wrong.push(`${id} got ${body}`);
    } catch {
      verdict.lost++;
      return;
    }
  }
}

/** What clients do, with their header and after it; `at` differs from one to the next. */
const ACTS: ((client: HttpClient, id: number, at: number) => Promise<void>)[] =
  [
    // Pipelined, all at once with the header, then closed in order.
    async (client, id, at) => {
      const count = 1 + at % 8;
      const requests = Array.from(
        { length: count },
        () => requestOf(id, "body"),
      );
      client.send(concat([claimOf(id), ...requests]));
      await expect(client, id, count);
    },
    // In pieces, one after the other, then reset.
    async (client, id, at) => {
      const bytes = concat([claimOf(id), requestOf(id), requestOf(id)]);
      const cut = 1 + at % (bytes.length - 1);
      client.send(bytes.subarray(0, cut));
      await setTimeout(at % 3);
      client.send(bytes.subarray(cut));
      await expect(client, id, 2);
      client.reset();
    },
    // Reset right after the request.
    (client, id) => {
      client.socket.write(
        concat([claimOf(id), requestOf(id)]),
        () => client.reset(),
      );
      return ended(client);
    },
    // Reset in a body, with more pipelined after it.
    async (client, id, at) => {
      const body = "x".repeat(1 << (at % 17));
      client.send(
        concat([claimOf(id), requestOf(id, body), requestOf(id, body)]),
      );
      client.send(requestOf(id, body));
      await setTimeout(at % 4);
      client.reset();
      await ended(client);
    },
    // Ends its direction after a request, so that nobody is answered.
    async (client, id) => {
      client.socket.end(concat([claimOf(id), requestOf(id), requestOf(id)]));
      await ended(client);
    },
    // Leaves before it has asked.
    async (client, id, at) => {
      client.send(claimOf(id).subarray(0, at % 60));
      await setTimeout(at % 2);
      client.socket.destroy();
      await ended(client);
    },
    // Asked to close by itself.
    async (client, id) => {
      client.send(claimOf(id));
      client.send(
        `GET /${id} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      );
      await expect(client, id, 1);
      await client.ended();
    },
  ];

function ended(client: HttpClient): Promise<void> {
  return new Promise((resolve) => {
    if (client.socket.closed) resolve();
    else client.socket.once("close", resolve);
  });
}

/** Somebody who dials the inner server, and claims to be somebody, again and again. */
async function intrude(): Promise<void> {
  for (let id = 0; !areDone; id++) {
    try {
      using stranger = await HttpClient.dial(Number(innerPort));
      if (id % 2 === 0) {
        stranger.socket.write(requestOf(id), () => stranger.reset());
        await ended(stranger);
        continue;
      }
      stranger.send(requestOf(id, "", "?now"));
      const { status } = await stranger.answer();
      if (status === 403) verdict.forbidden++;
      else verdict.wrong.push(`a stranger got ${status}`);
    } catch {
      // reset, or no port was left
    }
  }
}

const ids = Array(Number(connections)).keys();
const to = /^\d+$/.test(outer) ? Number(outer) : outer;
let areDone = false;
const strangers = Array.from({ length: STRANGERS }, intrude);
await Promise.all(Array.from({ length: WORKERS }, async () => {
  for (const id of ids) {
    using client = await HttpClient.dial(to);
    const act = ACTS[id % ACTS.length];
    await act?.(client, id, Math.floor(id / ACTS.length));
  }
}));
areDone = true;
await Promise.all(strangers);
console.log(JSON.stringify(verdict));
