/** Signatures of which one byte is another: refused at that byte, and no header if one is optional. */

import { assertEquals, assertThrows } from "@std/assert";
import { bytesNeeded, decode, ProxyProtocolError } from "../../codec/mod.ts";
import { V1, V2 } from "../on/_headers.ts";

/** Lengths of both signatures. */
const HEADERS = [
  { name: "v1", bytes: V1.bytes, length: 6 },
  { name: "v2", bytes: V2.bytes, length: 12 },
];

for (const { name, bytes, length } of HEADERS) {
  Deno.test(`decode() refuses every other byte in the signature of ${name} where it is`, () => {
    for (let at = 0; at < length; at++) {
      for (let byte = 0; byte < 256; byte++) {
        if (byte === bytes[at]) continue;
        const broken = bytes.slice();
        broken[at] = byte;
        // By its first byte it may be the other version, which the second is not.
        const isOther = at === 0 && (byte === 0x50 || byte === 0x0d);
        const offset = isOther ? 1 : at;
        for (const read of [decode, bytesNeeded]) {
          for (const seen of [broken.subarray(0, offset + 1), broken]) {
            const error = assertThrows(() => read(seen), ProxyProtocolError);
            assertEquals([error.code, error.offset], ["signature", offset]);
          }
        }
      }
    }
  });
}
