import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import {
  type Header,
  HeaderReader,
} from "../../conn/admission/header_reader.ts";
import { readOptions } from "../../conn/admission/policy.ts";
import { ProxyProtocolError } from "../../mod.ts";
import { CAPTURES } from "../codec/_captures.ts";
import { assertBytes, utf8 } from "../_bytes.ts";

const PAYLOAD = utf8("EHLO client.example\r\n");

Deno.test("HeaderReader.push() gives back what came beyond the header, however it was cut", () => {
  for (const { bytes, options } of CAPTURES) {
    const policy = readOptions({ trust: "any", ...options });
    const all = concat([bytes, PAYLOAD]);
    for (let at = 1; at < all.length; at += at < 64 ? 1 : 13) {
      const reader = new HeaderReader(policy);
      const first = reader.push(all.slice(0, at));
      assertEquals(first !== undefined, at >= bytes.length);
      const header = first ?? reader.push(all.slice(at));
      const end = first === undefined ? all.length : at;
      assertEquals(header?.info?.raw, bytes);
      assertBytes(
        header?.payload ?? new Uint8Array(),
        all.subarray(bytes.length, end),
      );
    }
  }
});

Deno.test("HeaderReader.push() copies: its caller may use the chunk again", () => {
  const reader = new HeaderReader(readOptions({ trust: "any" }));
  const line = utf8("PROXY TCP4 192.0.2.1 198.51.100.1 1 2\r\n");
  const chunk = line.slice(0, 20);
  assertEquals(reader.push(chunk), undefined);
  chunk.fill(0);
  assertEquals(reader.push(line.slice(20))?.info?.raw, line);
});

Deno.test("HeaderReader.room has never more room than the header needs", () => {
  for (const { bytes, options } of CAPTURES) {
    const reader = new HeaderReader(readOptions({ trust: "any", ...options }));
    const all = concat([bytes, PAYLOAD]);
    for (let at = 0, header; header === undefined;) {
      const { room } = reader;
      room.set(all.subarray(at, at + room.length));
      at += room.length;
      header = reader.take(room.length);
      assertEquals(at === bytes.length, header !== undefined);
      if (header !== undefined) assertEquals(header.info?.raw, bytes);
    }
  }
});

Deno.test("HeaderReader gives a header a buffer of its own length, however it comes", () => {
  for (const { bytes, options } of CAPTURES) {
    const policy = readOptions({ trust: "any", ...options });
    const all = concat([bytes, PAYLOAD]);
    const readers: ((reader: HeaderReader) => Header | undefined)[] = [
      (reader) => reader.push(all),
      (reader) => reader.push(all.slice(0, 5)) ?? reader.push(all.slice(5)),
      (reader) => {
        for (let at = 0;;) {
          const { room } = reader;
          room.set(all.subarray(at, at += room.length));
          const header = reader.take(room.length);
          if (header !== undefined) return header;
        }
      },
    ];
    for (const read of readers) {
      const raw = read(new HeaderReader(policy))?.info?.raw;
      assertEquals(raw, bytes);
      assertEquals(raw?.buffer.byteLength, bytes.length);
    }
  }
});

/** A whole header of each version, and the only version that is accepted. */
const OTHERS: [header: Uint8Array, version: 1 | 2][] = [
  [utf8("PROXY TCP4 192.0.2.1 198.51.100.1 1 2\r\n"), 2],
  [utf8("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"), 1],
];

Deno.test("HeaderReader rejects a header of another version, also where a header is optional", () => {
  for (const [bytes, version] of OTHERS) {
    for (const header of ["require", "optional"] as const) {
      const options = { trust: "any", header, versions: [version] } as const;
      const policy = readOptions(options);
      const whole = () => new HeaderReader(policy).push(bytes);
      assertEquals(assertThrows(whole, ProxyProtocolError).code, "version");
      if (header === "require") continue;
      const reader = new HeaderReader(policy);
      const bytewise = () => {
        for (const byte of bytes) {
          assertEquals(reader.push(Uint8Array.of(byte)), undefined);
        }
      };
      assertEquals(assertThrows(bytewise, ProxyProtocolError).code, "version");
    }
  }
});

Deno.test("HeaderReader takes the beginning of another version's signature for payload", () => {
  for (const [bytes, version] of OTHERS) {
    const policy = readOptions({
      trust: "any",
      header: "optional",
      versions: [version],
    });
    for (let length = 1; length < (version === 2 ? 6 : 12); length++) {
      const reader = new HeaderReader(policy);
      assertEquals(reader.push(bytes.slice(0, length)), undefined);
      assertEquals(reader.end(), {
        info: undefined,
        payload: bytes.slice(0, length),
      });
      const other = new HeaderReader(policy);
      const payload = concat([bytes.slice(0, length), utf8("x")]);
      assertEquals(other.push(payload), { info: undefined, payload });
    }
  }
});

/** Reads bytes exactly, through the room of a reader. */
function takeAll(reader: HeaderReader, bytes: Uint8Array): Header | undefined {
  let header: Header | undefined;
  for (let at = 0; header === undefined && at < bytes.length;) {
    const room = reader.room.subarray(0, bytes.length - at);
    room.set(bytes.subarray(at, at + room.length));
    at += room.length;
    header = reader.take(room.length);
  }
  return header;
}

Deno.test("HeaderReader shows the bytes of one connection alone, although rooms are used again", () => {
  const policy = readOptions({ trust: "any" });
  const line = (host: string) =>
    utf8(`PROXY TCP4 192.0.2.${host} 198.51.100.1 1 2\r\n`);
  const kept: { header: Header | undefined; bytes: Uint8Array }[] = [];
  const errors: { error: ProxyProtocolError; bytes: Uint8Array }[] = [];
  for (let i = 1; i < 200; i++) {
    const bytes = line(`${i}`);
    kept.push({ header: takeAll(new HeaderReader(policy), bytes), bytes });
    const bad = utf8(`PROXY TCP4 192.0.2.${i} 0${i}`);
    const reader = new HeaderReader(policy);
    const error = assertThrows(
      () => takeAll(reader, bad),
      ProxyProtocolError,
    );
    errors.push({ error, bytes: bad });
    const begun = new HeaderReader(policy);
    assertEquals(takeAll(begun, line("1").subarray(0, i % 30)), undefined);
    assertEquals(begun.received, line("1").slice(0, i % 30));
  }
  for (const { header, bytes } of kept) {
    assertEquals(header?.info?.raw, bytes);
    assertEquals(header?.info?.raw.buffer.byteLength, bytes.length);
    assertEquals(header?.payload.length, 0);
  }
  for (const { error, bytes } of errors) {
    const { received } = error;
    assertEquals(received, bytes.slice(0, received?.length));
  }
});
