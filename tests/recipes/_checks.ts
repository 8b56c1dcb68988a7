/** How the programs of the pages are used, and what they have to do. */

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
  accept,
  decodeSimpleDatagram,
  encode,
  encodeDatagram,
  encodeSimpleDatagram,
  proxied,
  type ProxyInfo,
  serve,
} from "../../mod.ts";
import { concat, utf8 } from "../_bytes.ts";
import { within } from "../_within.ts";
import { CERT } from "../conn/_loopback.ts";
import type { Program } from "./_programs.ts";

/** The key of signed headers. */
export const KEY = "0123456789abcdef0123456789abcdef";
/** The client, in every header. */
export const CLIENT = "192.0.2.7";
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

/** Uses a program that listens on a port, and has another port for what it serves or dials besides. */
export type Check = (
  program: Program,
  port: number,
  other: number,
) => Promise<void>;

/** A session whose first datagram alone has the header. */
export const firstOnly: Check = async (program, port) => {
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

export const each: Check = async (program, port) => {
  const [answer] = await talk(port, program, [
    encodeDatagram(UDP, utf8("hello")),
  ]);
  assertEquals(answer, utf8("hello"));
  await program.printed(CLIENT);
};

export const simple: Check = async (program, port) => {
  const datagram = encodeSimpleDatagram(UDP, utf8("hello"));
  const [answer = datagram] = await talk(port, program, [datagram]);
  assertEquals(decodeSimpleDatagram(answer).payload, utf8("hello"));
  assertEquals(decodeSimpleDatagram(answer).source, UDP.source);
  await program.printed(CLIENT);
};

export const signatures: Check = async (program, port) => {
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
export const reverse: Check = async (program, port, other) => {
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

export const endedTls: Check = async (program, port) => {
  const tlvs = { SSL: true, SSL_CLIENT: 1, SSL_VERIFY: 0 };
  const header = encode({ ...TCP, tlvs });
  const answer = await answerTo(program, port, header, utf8(REQUEST));
  assertStringIncludes(answer, `https, from ${CLIENT}`);
  assertMatch(answer, /^set-cookie: .*; Secure\b/im);
  const plain = await answerTo(program, port, HEADER, utf8(REQUEST));
  assertStringIncludes(plain, `http, from ${CLIENT}`);
};

export const metrics: Check = async (program, port, other) => {
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

export const meters: Check = async (program, port) => {
  await answerTo(program, port, utf8("GET / HTTP/1.1\r\n\r\n"));
  await program.printed("proxy_protocol.accepted");
  await program.printed("proxy_protocol.rejected");
  await program.printed('attributes: { code: "signature" }');
};

export const traces: Check = async (program, port) => {
  await answerTo(program, port, HEADER, utf8(REQUEST));
  await program.printed("client.address");
  await program.printed(CLIENT);
  await program.printed("network.peer.address");
};

export const logs: Check = async (program, port) => {
  await answerTo(program, port, HEADER);
  await program.printed(`"client":{"address":"${CLIENT}","port":51234}`);
  await answerTo(program, port, utf8("GET / HTTP/1.1\r\n\r\n"));
  await program.printed('"code":"signature"');
};

/** Reads until all texts have come: servers on Node end TLS without saying so. */
async function receive(conn: Deno.Conn, ...texts: string[]): Promise<void> {
  const buffer = new Uint8Array(4096);
  let received = "";
  // They may come at once, so that each cannot be waited for by itself.
  for (;;) {
    const next = texts.find((text) => !received.includes(text));
    if (next === undefined) return;
    const count = await within(conn.read(buffer), `"${next}"`);
    if (count === null) throw new Error(`Received instead: ${received}`);
    received += new TextDecoder().decode(buffer.subarray(0, count));
  }
}

/** Asks by HTTP/1 for the client's address. */
export const overHttp: Check = async (program, port) => {
  using conn = await program.dial(port);
  await conn.write(HEADER);
  await conn.write(utf8(REQUEST));
  await receive(conn, CLIENT);
};

function overTls(text: string): Check {
  return async (program, port) => {
    const tcp = await program.dial(port);
    await tcp.write(HEADER);
    using conn = await Deno.startTls(tcp, {
      hostname: "localhost",
      caCerts: [CERT],
    });
    await conn.write(utf8(text));
    await receive(conn, CLIENT);
  };
}

export const overHttps: Check = overTls(REQUEST);
export const greetedInTls: Check = overTls("");

/** Sends its header only once it has been greeted. */
export const afterGreeting: Check = async (program, port) => {
  using conn = await program.dial(port);
  await receive(conn, "220 mail.example ESMTP\r\n");
  await conn.write(HEADER);
  await program.printed(CLIENT);
};

/** The header that a relay writes to the backend, which listens on the other port. */
async function relayedHeader(
  program: Program,
  port: number,
  other: number,
): Promise<ProxyInfo | undefined> {
  using backend = Deno.listen({ hostname: "127.0.0.1", port: other });
  using client = await program.dial(port);
  await client.write(HEADER);
  const { info, conn } = await accept(
    await within(backend.accept(), "the relay"),
    { trust: ["127.0.0.1"] },
  );
  conn.close();
  return info;
}

export const relayed: Check = async (...where) => {
  const info = await relayedHeader(...where);
  assertEquals(info?.source, TCP.source);
  assertEquals(info?.tlvs.AUTHORITY, "example.com");
};

/** By a relay that adds a TLV. */
export const relayedWithMore: Check = async (...where) => {
  const info = await relayedHeader(...where);
  assertEquals(info?.source, TCP.source);
  assertEquals(info?.tlvs.NETNS, "blue");
};
