/** Sockets that somebody has resumed before their application listens: no byte flows between two owners. */

import assert from "node:assert/strict";
import { createServer as createHttpServer } from "node:http";
import { createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { accept, proxied } from "../../../conn/node.ts";
import { dial, HEADER, listening, pattern, TRUST } from "./_kit.ts";

const REQUEST =
  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/** Answers later, when more has come. */
async function agree(): Promise<boolean> {
  for (let i = 0; i < 20; i++) await setImmediate();
  return true;
}

/** When a master resumes a socket that it passes on. */
const MASTERS: Record<string, (socket: Socket, pass: () => void) => void> = {
  "after it": (socket, pass) => {
    pass();
    socket.resume();
  },
  "before it": (socket, pass) => {
    socket.resume();
    pass();
  },
  "before and after it": (socket, pass) => {
    socket.resume();
    pass();
    socket.resume();
  },
  "a turn after it": (socket, pass) => {
    pass();
    setImmediate().then(() => socket.resume());
  },
};

for (const [when, master] of Object.entries(MASTERS)) {
  for (const verify of [undefined, agree]) {
    const options = { trust: TRUST, ...(verify && { verify }) };
    const how = `${when}${verify ? ", with a verify that takes its time" : ""}`;

    test(`a request is not lost by who resumes the socket ${how}`, async () => {
      const http = proxied(
        createHttpServer((request, response) => {
          response.end(`seen ${request.socket.remoteAddress}`);
        }),
        options,
      );
      const server = createServer({ pauseOnConnect: true }, (socket) => {
        master(socket, () => void http.emit("connection", socket));
      });
      await listening(server, async (port) => {
        for (const pieces of [[concat(HEADER, REQUEST)], [HEADER, REQUEST]]) {
          const client = await dial(port, ...pieces);
          await client.until("seen 192.0.2.7");
          client.socket.destroy();
        }
      });
    });

    test(`a payload is not lost by who resumes the socket ${how}`, async () => {
      const payload = pattern(200_000);
      const echo = proxied(
        createServer((socket) => void socket.pipe(socket)),
        options,
      );
      const server = createServer((socket) => {
        master(socket, () => void echo.emit("connection", socket));
      });
      await listening(server, async (port) => {
        const client = await dial(port, concat(HEADER, payload));
        const received = await client.take(payload.length);
        assert.equal(received.compare(payload), 0);
        client.socket.destroy();
      });
    });
  }
}

test("accept(): a payload is not lost by who resumes the socket meanwhile", async () => {
  const payload = pattern(200_000);
  const server = createServer((socket) => {
    accept(socket, { trust: TRUST, verify: agree }).then(({ conn }) => {
      conn.on("error", () => {});
      conn.on("data", (chunk) => void conn.write(chunk));
    }, () => socket.destroy());
    socket.resume();
  });
  await listening(server, async (port) => {
    const client = await dial(port, concat(HEADER, payload));
    const received = await client.take(payload.length);
    assert.equal(received.compare(payload), 0);
    client.socket.destroy();
  });
});

test("proxied(): a socket that its listener pauses stays paused", async () => {
  const server = proxied(
    createServer((socket) => {
      socket.pause();
      socket.on("data", () => {});
      setImmediate().then(() => setImmediate()).then(() => {
        socket.end(`${socket.readableFlowing}`, () => socket.destroy());
      });
    }),
    { trust: TRUST },
  );
  await listening(server, async (port) => {
    const client = await dial(port, concat(HEADER, "hello"));
    await client.until("false");
    client.socket.destroy();
  });
});

function concat(
  header: Uint8Array,
  payload: Uint8Array | string,
): Uint8Array {
  const bytes = typeof payload === "string"
    ? new TextEncoder().encode(payload)
    : payload;
  return Uint8Array.from([...header, ...bytes]);
}
