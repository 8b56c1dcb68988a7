import { assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { HeaderReader } from "../../conn/admission/header_reader.ts";
import { readOptions } from "../../conn/admission/policy.ts";
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
