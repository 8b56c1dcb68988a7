import { assertEquals } from "@std/assert";
import { crc32c } from "../../codec/mod.ts";

/** RFC 3720, appendix B.4. */
const VECTORS: readonly [string, Uint8Array, number][] = [
  ["32 bytes of zeroes", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  [
    "32 incrementing bytes",
    Uint8Array.from({ length: 32 }, (_, i) => i),
    0x46dd794e,
  ],
  [
    "32 decrementing bytes",
    Uint8Array.from({ length: 32 }, (_, i) => 31 - i),
    0x113fdb5c,
  ],
];

for (const [name, bytes, expected] of VECTORS) {
  Deno.test(`crc32c() of ${name} is that of RFC 3720`, () => {
    assertEquals(crc32c(bytes), expected);
  });
}
