/** Runs the programs of `conn/README.md` from the npm package, as a copy of them would run. */

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { createHmac } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import {
  decodeSimpleDatagram,
  encode,
  encodeDatagram,
  encodeSimpleDatagram,
  proxied,
  serve,
} from "../../mod.ts";
import { concat, utf8 } from "../_bytes.ts";
import {
  EXPRESS,
  HTTP_PROXY,
  OPENTELEMETRY,
  PINO,
  PROM_CLIENT,
  UNDICI,
} from "../_versions.ts";
import { within } from "../_within.ts";
import { install, pack } from "../npm_consumer/_package.ts";
import { freePort } from "../_ports.ts";
import { onFreePort, type Program, RUNTIMES, start } from "./_programs.ts";
import { onLoopback, programUnder, readPage } from "./_readme.ts";

const PAGE = await readPage("conn/README.md");
const KEY = "0123456789abcdef0123456789abcdef";
const CLIENT = "192.0.2.7";
const UDP = {
  source: { transport: "udp", hostname: CLIENT, port: 51234 },
  destination: { transport: "udp", hostname: "198.51.100.9", port: 53 },
} as const;
const TCP = {
  source: { transport: "tcp", hostname: CLIENT, port: 51234 },
  destination: { transport: "tcp", hostname: "198.51.100.9", port: 443 },
} as const;
const HEADER = encode({ ...TCP, tlvs: { AUTHORITY: "example.com" } });
const REQUEST =
  "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/** All bytes that come, until the end. */
async function receiveAll(conn: Deno.Conn): Promise<string> {
  return await within(new Response(conn.readable).text(), "the end");
}

/** What comes back of bytes; nothing from who has closed the connection. */
async function answerTo(
  program: Program,
  port: number,
  ...bytes: Uint8Array[]
): Promise<string> {
  const conn = await program.dial(port);
  await conn.write(concat(bytes));
  return await receiveAll(conn).catch(() => "");
}

/** A client of UDP, which repeats a datagram until it is answered. */
async function talk(
  port: number,
  program: Program,
  datagrams: readonly Uint8Array[],
): Promise<Uint8Array[]> {
  const socket = createSocket("udp4");
  const answers: Uint8Array[] = [];
  try {
    for (const datagram of datagrams) {
      const answered = once(socket, "message");
      const send = () => socket.send(datagram, port, "127.0.0.1");
      // Nothing else shows that somebody listens.
      const timer = setInterval(send, 100);
      const waiting = Promise.race([answered, program.ended]);
      const [answer] = await within(waiting, "an answer")
        .finally(() => clearInterval(timer));
      answers.push(Uint8Array.from(answer));
      if (answers.length === 1) socket.removeAllListeners("message");
    }
  } finally {
    socket.close();
    await once(socket, "close");
  }
  return answers;
}

/** An HMAC, made apart from the recipe. */
function signed(time: number): Uint8Array {
  const value = new Uint8Array(40);
  new DataView(value.buffer).setBigUint64(0, BigInt(time));
  const bytes = encode({ ...TCP, tlvs: { xE5: value, ALPN: "h2" } });
  const at = bytes.length - 32 - 5; // before ALPN
  bytes.set(createHmac("sha256", KEY).update(bytes).digest(), at);
  return bytes;
}

type Check = (
  program: Program,
  port: number,
  other: number,
) => Promise<void>;

/** A session whose first datagram alone has the header. */
const firstOnly: Check = async (program, port) => {
  const hello = utf8("hello");
  const [first, second] = await talk(port, program, [
    encodeDatagram(UDP, hello),
    utf8("PROXY UNKNOWN\r\nforged"),
  ]);
  assertEquals(first, hello);
  // Datagrams that were repeated are payload of the session.
  assert(second !== undefined);
  await program.printed(CLIENT);
};

const each: Check = async (program, port) => {
  const [answer] = await talk(port, program, [
    encodeDatagram(UDP, utf8("hello")),
  ]);
  assertEquals(answer, utf8("hello"));
  await program.printed(CLIENT);
};

const simple: Check = async (program, port) => {
  const datagram = encodeSimpleDatagram(UDP, utf8("hello"));
  const [answer = datagram] = await talk(port, program, [datagram]);
  assertEquals(decodeSimpleDatagram(answer).payload, utf8("hello"));
  assertEquals(decodeSimpleDatagram(answer).source, UDP.source);
  await program.printed(CLIENT);
};

const signatures: Check = async (program, port) => {
  const hello = utf8("hello");
  const good = signed(Date.now());
  const conn = await program.dial(port);
  await conn.write(concat([good, hello]));
  await conn.closeWrite();
  assertEquals(await receiveAll(conn), "hello");
  await program.printed(`signed: ${CLIENT}`);

  const forged = signed(Date.now());
  forged[16] = 203; // another client
  const late = signed(Date.now() - 31_000);
  const unsigned = encode(TCP);
  for (const bytes of [good, forged, late, unsigned]) {
    assertEquals(await answerTo(program, port, bytes, hello), "");
  }
};

/** Asks twice on one connection, whose header the backend must have seen. */
const reverse: Check = async (program, port, other) => {
  using tcp = Deno.listen({ hostname: "127.0.0.1", port: other });
  const backend = proxied(tcp, { trust: ["127.0.0.1"] });
  const serving = serve(backend, async (conn) => {
    const text = `named ${JSON.stringify(conn.remoteAddr)}`;
    const head = `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n`;
    let received = "";
    for await (const chunk of conn) {
      received += new TextDecoder().decode(chunk);
      if (!received.endsWith("\r\n\r\n")) continue;
      received = "";
      await conn.write(utf8(head + text));
    }
  });
  const keptAlive = utf8(REQUEST.replace("close", "keep-alive"));
  const answer = await answerTo(
    program,
    port,
    HEADER,
    keptAlive,
    utf8(REQUEST),
  );
  const [, ...named] = answer.split("named ");
  assertEquals(named.length, 2, answer);
  for (const text of named) {
    assertStringIncludes(text, `"hostname":"${CLIENT}","port":51234`);
  }
  await serving.shutdown();
};

const endedTls: Check = async (program, port) => {
  const tlvs = { SSL: true, SSL_CLIENT: 1, SSL_VERIFY: 0 };
  const header = encode({ ...TCP, tlvs });
  const answer = await answerTo(program, port, header, utf8(REQUEST));
  assertStringIncludes(answer, `https, from ${CLIENT}`);
  assertMatch(answer, /^set-cookie: .*; Secure\b/im);
  const plain = await answerTo(program, port, HEADER, utf8(REQUEST));
  assertStringIncludes(plain, `http, from ${CLIENT}`);
};

const metrics: Check = async (program, port, other) => {
  const answer = await answerTo(program, port, HEADER, utf8(REQUEST));
  assertStringIncludes(answer, "hello");
  await answerTo(program, port, utf8("GET / HTTP/1.1\r\n\r\n"));
  const response = await within(
    fetch(`http://127.0.0.1:${other}/metrics`),
    "metrics",
  );
  const text = await response.text();
  assertStringIncludes(text, "# TYPE proxy_protocol_accepted_total counter");
  assertStringIncludes(text, "\nproxy_protocol_accepted_total 1\n");
  assertStringIncludes(
    text,
    '\nproxy_protocol_rejected_total{code="signature"} 1\n',
  );
  assertStringIncludes(text, "\nproxy_protocol_pending 0\n");
};

const traces: Check = async (program, port) => {
  await answerTo(program, port, HEADER, utf8(REQUEST));
  await program.printed("client.address");
  await program.printed(CLIENT);
  await program.printed("network.peer.address");
};

const logs: Check = async (program, port) => {
  await answerTo(program, port, HEADER);
  await program.printed(`"client":{"address":"${CLIENT}","port":51234}`);
  await answerTo(program, port, utf8("GET / HTTP/1.1\r\n\r\n"));
  await program.printed('"code":"signature"');
};

const EVERYWHERE = ["Node", "Deno", "Bun"];

const RECIPES: { heading: string; runtimes: string[]; check: Check }[] = [
  { heading: "Sessions (Node", runtimes: EVERYWHERE, check: firstOnly },
  { heading: "Sessions with Bun", runtimes: ["Bun"], check: each },
  { heading: "Sessions with Deno", runtimes: ["Deno"], check: each },
  { heading: "Cloudflare Spectrum", runtimes: EVERYWHERE, check: simple },
  { heading: "Receive signed", runtimes: EVERYWHERE, check: signatures },
  { heading: "Reverse proxy with node", runtimes: EVERYWHERE, check: reverse },
  {
    heading: "Reverse proxy with http-proxy",
    runtimes: EVERYWHERE,
    check: reverse,
  },
  {
    heading: "Reverse proxy with undici",
    runtimes: ["Node", "Deno"],
    check: reverse,
  },
  { heading: "TLS ended", runtimes: EVERYWHERE, check: endedTls },
  { heading: "Metrics", runtimes: EVERYWHERE, check: metrics },
  { heading: "Traces", runtimes: EVERYWHERE, check: traces },
  { heading: "Logs", runtimes: EVERYWHERE, check: logs },
];

/** Starts a program on a runtime, with what the recipes need of it. */
function run(runtime: string, folder: string, file: string): Program {
  const [command = "", ...args] = RUNTIMES[runtime] ?? [];
  const flags = runtime === "Deno" ? ["--unstable-net"] : [];
  return start(
    ["env", `PROXY_KEY=${KEY}`, command, ...args, ...flags, file],
    folder,
  );
}

Deno.test("the programs of conn/README.md do what they say", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "recipes-" });
  const write = async (
    file: string,
    heading: string,
    listen: number,
    other = 0,
  ): Promise<void> =>
    await Deno.writeTextFile(
      `${folder}/${file}`,
      onLoopback(programUnder(heading, "ts", PAGE), { listen, dial: 443 })
        .replaceAll(/\b9100\b/g, `${other}`),
    );
  try {
    await Deno.writeTextFile(`${folder}/package.json`, '{"type":"module"}');
    await pack(`${folder}/package.tgz`);
    await install(
      folder,
      "./package.tgz",
      ...[PROM_CLIENT, ...OPENTELEMETRY, PINO],
      ...[HTTP_PROXY, UNDICI, EXPRESS],
    );
    for (const { heading, runtimes, check } of RECIPES) {
      for (const runtime of runtimes) {
        await t.step(
          `${heading} on ${runtime}`,
          () =>
            onFreePort(async (port) => {
              const other = freePort();
              await write("main.ts", heading, port, other);
              await using program = run(runtime, folder, "main.ts");
              await check(program, port, other);
            }),
        );
      }
    }
    for (const runtime of EVERYWHERE) {
      await t.step(
        `what is sent signed is received, on ${runtime}`,
        () =>
          onFreePort(async (port) => {
            await write("main.ts", "Receive signed", port);
            await write("sender.ts", "Send signed", port);
            await using receiver = run(runtime, folder, "main.ts");
            (await receiver.dial(port)).close(); // it listens
            await using sender = run(runtime, folder, "sender.ts");
            await receiver.printed(`signed: ${CLIENT}`);
            await sender.printed("hello");
          }),
      );
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
