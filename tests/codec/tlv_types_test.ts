import { assertEquals, assertThrows } from "@std/assert";
import { TLV_TYPES, tlvName, tlvType } from "../../codec/mod.ts";

/** Section 2.2. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0x01, "ALPN"],
  [0x02, "AUTHORITY"],
  [0x03, "CRC32C"],
  [0x04, "NOOP"],
  [0x05, "UNIQUE_ID"],
  [0x20, "SSL"],
  [0x21, "SSL_VERSION"],
  [0x22, "SSL_CN"],
  [0x23, "SSL_CIPHER"],
  [0x24, "SSL_SIG_ALG"],
  [0x25, "SSL_KEY_ALG"],
  [0x26, "SSL_GROUP"],
  [0x27, "SSL_SIG_SCHEME"],
  [0x28, "SSL_CLIENT_CERT"],
  [0x30, "NETNS"],
]);

Deno.test("TLV_TYPES has every type that the specification names", () => {
  const types: Record<string, number> = TLV_TYPES;
  assertEquals(types, Object.fromEntries([...NAMES].map(([n, s]) => [s, n])));
});

Deno.test("tlvName() names all 256 types, tlvType() finds them again", () => {
  for (let type = 0; type < 256; type++) {
    const unnamed = `x${type.toString(16).toUpperCase().padStart(2, "0")}`;
    assertEquals(tlvName(type), NAMES.get(type) ?? unnamed);
    assertEquals(tlvType(tlvName(type)), type);
    assertEquals(tlvType(unnamed), type);
  }
});

Deno.test("tlvName() refuses what is no type", () => {
  for (const type of [-1, 256, 1.5, NaN, Infinity]) {
    const message = `expected 0 to 255, received ${type}`;
    assertThrows(() => tlvName(type), RangeError, message);
  }
});

Deno.test("tlvType() knows no other name", () => {
  const names = ["", "alpn", "xea", "xE", "x0EA", "xGG", "EA", " ALPN", "xEA "]
    .concat(["SSL_CLIENT", "SSL_VERIFY", "constructor", "PP2_TYPE_ALPN"]);
  for (const name of names) assertEquals(tlvType(name), undefined, name);
});
