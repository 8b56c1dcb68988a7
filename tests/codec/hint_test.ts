import { assert, assertEquals, assertThrows } from "@std/assert";
import { inspect } from "node:util";
import {
  decode,
  decodeSimpleDatagram,
  encode,
  encodeSimpleDatagram,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { net } from "./_facts.ts";
import { ascii, hex } from "./_hex.ts";
import { REFUSED } from "./_refusals.ts";

function refusalOf(bytes: Uint8Array): ProxyProtocolError {
  return assertThrows(() => decode(bytes), ProxyProtocolError);
}

/** What clients send first, the message, and what it is recognised as. */
const STARTS: readonly (readonly [Uint8Array, string, string?])[] = [
  [
    ascii("GET / HTTP/1.1\r\nHost: a\r\n"),
    'received "GET / HTTP/1.1" (an HTTP request)',
    "an HTTP request",
  ],
  [
    ascii("POST /a HTTP/1.1\r\n"),
    'received "POST /a HTTP/1.1" (an HTTP request)',
    "an HTTP request",
  ],
  [ascii("PUT /"), 'received "PUT /" (an HTTP request)', "an HTTP request"],
  [
    ascii("OPTIONS * HTTP/1.1\r"),
    'received "OPTIONS * HTTP/1.1" (an HTTP request)',
    "an HTTP request",
  ],
  [
    ascii("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    'received "PRI * HTTP/2.0" (an HTTP/2 preface)',
    "an HTTP/2 preface",
  ],
  [
    hex("16030100c8010000c403038a"),
    "received 0x16030100c8010000c403038a (a TLS ClientHello)",
    "a TLS ClientHello",
  ],
  [
    ascii("SSH-2.0-OpenSSH_9.9\r\n"),
    'received "SSH-2.0-OpenSSH_9.9" (an SSH banner)',
    "an SSH banner",
  ],
  [
    ascii("EHLO mail.example\r\n"),
    'received "EHLO mail.example" (an SMTP command)',
    "an SMTP command",
  ],
  [
    hex("0000000804d2162f"),
    "received 0x0000000804d2162f (a PostgreSQL startup message)",
    "a PostgreSQL startup message",
  ],
  [
    encodeSimpleDatagram({
      source: net("192.0.2.1", 1, "udp"),
      destination: net("192.0.2.2", 2, "udp"),
    }, hex("00")),
    "received 0x56ec00000000000000000000ffffc000... (a Simple Proxy Protocol header)",
    "a Simple Proxy Protocol header",
  ],
  [ascii("G"), 'received "G"'],
  [ascii("GETTY"), 'received "GETTY"'],
  [ascii("proxy TCP4 "), 'received "proxy TCP4 "'],
  [
    ascii("PROXX"),
    'received "PROXX", expected "Y" at byte 4',
  ],
  [hex("0d0a0d0aff"), "received 0x0d0a0d0aff, expected 0x00 at byte 4"],
  [ascii(`a"\\b`), 'received "a\\"\\\\b"'],
  [ascii("a".repeat(41)), `received "${"a".repeat(40)}"...`],
  [ascii("ab\x1b[2J"), "received 0x61621b5b324a"],
  [new Uint8Array(17), `received 0x${"00".repeat(16)}...`],
];

for (const [bytes, said, hint] of STARTS) {
  Deno.test(`decode() says ${said}`, () => {
    const error = refusalOf(bytes);
    assertEquals(error.message, `No PROXY header: ${said}`);
    assertEquals([error.code, error.hint], ["signature", hint]);
  });
}

Deno.test("ProxyProtocolError has a hint for no other code", () => {
  for (const { bytes, options, code, name } of REFUSED) {
    if (code === "signature") continue;
    const error = assertThrows(
      () => decode(bytes, options),
      ProxyProtocolError,
    );
    assertEquals(error.hint, undefined, name);
  }
  const received = ascii("GET / HTTP/1.1");
  assertEquals(
    new ProxyProtocolError("a", "timeout", { received }).hint,
    undefined,
  );
});

Deno.test("decodeSimpleDatagram() says that a PROXY header is none of its own", () => {
  const header = encode({ command: "LOCAL" });
  const { message } = assertThrows(
    () => decodeSimpleDatagram(header),
    ProxyProtocolError,
  );
  assertEquals(
    message,
    "No Simple Proxy header: received 0x0d0a0d0a000d0a515549540a20000000, expected 0x56ec at byte 0",
  );
});

Deno.test("ProxyProtocolError prints without the bytes, and has them as hex in JSON", () => {
  const error = refusalOf(ascii("GET / HTTP/1.1\r\n"));
  error.hop = { transport: "tcp", hostname: "192.0.2.7", port: 41222 };
  for (const text of [Deno.inspect(error), inspect(error)]) {
    assert(text.includes(error.message), text);
    assert(text.includes("an HTTP request"), text);
    assert(!text.includes("Uint8Array"), text);
  }
  assertEquals(JSON.parse(JSON.stringify({ error })).error, {
    name: "ProxyProtocolError",
    message: 'No PROXY header: received "GET / HTTP/1.1" (an HTTP request)',
    code: "signature",
    offset: 0,
    hint: "an HTTP request",
    hop: error.hop,
    received: ascii("GET / HTTP/1.1\r\n").toHex(),
  });
});
