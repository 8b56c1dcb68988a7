/** What an info is besides its fields: printed, serialised, copied, compared. */

import { assert, assertEquals, assertFalse } from "@std/assert";
import { inspect } from "node:util";
import { decode, encode, type ProxyInfo } from "../../codec/mod.ts";
import { ascii, BLOCK4, hex, tlv, v2 } from "./_hex.ts";
import { ACCEPTED } from "./_vectors.ts";

const HEADER = v2(
  "2111",
  BLOCK4 + tlv("01", "6832") + tlv("05", "0aff") + tlv("e1", "01") +
    tlv("e1", "02"),
);

function infoOf(bytes: Uint8Array): ProxyInfo {
  const info = decode(bytes);
  assert(info !== undefined);
  return info;
}

/** Every info that can be had. */
function* infos(): Generator<ProxyInfo> {
  for (const { bytes, options } of ACCEPTED) {
    const info = decode(bytes, options);
    assert(info !== undefined);
    yield info;
  }
}

Deno.test("decode() gives an info that prints without its bytes", () => {
  for (const print of [Deno.inspect, inspect]) {
    const text = print(infoOf(HEADER)).replaceAll("'", '"');
    assert(text.includes('hostname: "192.0.2.1"'), text);
    assert(text.includes('ALPN: "h2"'), text);
    assertFalse(/\b(raw|rest|toJSON|source: undefined)\b/.test(text), text);
    assertEquals(print({ info: infoOf(HEADER) }).includes("raw"), false);
    const local = print(infoOf(v2("2000")));
    assertFalse(/source|undefined/.test(local), local);
  }
});

Deno.test("decode() gives an info whose JSON has bytes as hex", () => {
  assertEquals(JSON.parse(JSON.stringify(infoOf(HEADER))), {
    version: 2,
    command: "PROXY",
    family: "INET",
    transport: "STREAM",
    source: { transport: "tcp", hostname: "192.0.2.1", port: 56324 },
    destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
    tlvs: { ALPN: "h2", UNIQUE_ID: "0aff", xE1: "02" },
    tlv_loc: { ALPN: 0, UNIQUE_ID: 5, xE1: 14 },
    tlv_start: 28,
    raw: HEADER.toHex(),
  });
});

Deno.test("decode() reads the raw bytes in the JSON of any info again", () => {
  for (const info of infos()) {
    const json = JSON.stringify({ info });
    assertFalse(json.includes('"0":'), json);
    assertEquals(hex(JSON.parse(json).info.raw), Uint8Array.from(info.raw));
  }
});

Deno.test("decode() lists what a header says, and no field that it has not", () => {
  assertEquals(Object.keys(infoOf(HEADER)), [
    ...["version", "command", "family", "transport", "source", "destination"],
    ...["tlvs", "tlv_loc", "tlv_start", "raw"],
  ]);
  assertEquals(Object.keys(infoOf(ascii("PROXY UNKNOWN\r\n"))), [
    ...["version", "command", "family", "transport", "tlvs", "tlv_loc", "raw"],
  ]);
});

Deno.test("decode() gives the same rest each time, in the memory of raw", () => {
  for (const info of infos()) {
    assert(info.rest === info.rest);
    assert(info.rest.buffer === info.raw.buffer);
    const at = info.tlv_start ?? info.raw.length - info.rest.length -
        (info.source === undefined ? 2 : 0);
    assertEquals(info.rest, info.raw.subarray(at, at + info.rest.length));
    if (info.version === 2) {
      assertEquals(info.rest.length, info.raw.length - at);
    }
  }
});

Deno.test("encode() gives the bytes of copies of an info back", () => {
  for (const info of infos()) {
    const bytes = encode(info);
    assertEquals(encode({ ...info }), bytes);
    assertEquals(encode(structuredClone(info)), bytes);
    assertEquals(encode(Object.assign({}, info)), bytes);
  }
});

Deno.test("decode() gives infos that are equal if their bytes are", () => {
  assertEquals(infoOf(HEADER), infoOf(HEADER.slice()));
  assertEquals<unknown>(structuredClone(infoOf(HEADER)), {
    ...infoOf(HEADER),
  });
});

Deno.test("decode() leaves no rest of a header whose memory was transferred", () => {
  const info = infoOf(HEADER.slice());
  const { buffer } = info.raw;
  assert(buffer instanceof ArrayBuffer);
  structuredClone(buffer, { transfer: [buffer] });
  assertEquals([info.raw.length, info.rest.length], [0, 0]);
});

Deno.test("encode() refuses a name that an info has not", () => {
  const info: ProxyInfo & { sorce?: string } = infoOf(HEADER);
  info.sorce = "192.0.2.1";
  let message = "";
  try {
    encode(info);
  } catch (error) {
    if (error instanceof TypeError) message = error.message;
  }
  assert(message.includes('"sorce", did you mean "source"?'), message);
});
