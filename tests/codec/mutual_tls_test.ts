/** Whether a TLS client was verified, for all that a sender may say of it. */

import { assert, assertEquals } from "@std/assert";
import { decode, isClientVerified } from "../../codec/mod.ts";
import { BLOCK4, tlv, v2 } from "./_hex.ts";

/** Results of verification: success, errors of OpenSSL, and numbers whose last byte is 0. */
const RESULTS = ["00000000", "00000001", "00000012", "ffffffff", "80000000"]
  .concat("00000100", "00ff0000", "01000000");

/** Section 2.2.6: TLS, a certificate on this connection or in its session. */
const [OVER_TLS, ON_CONNECTION, IN_SESSION] = [1, 2, 4];

function toHex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

Deno.test("isClientVerified() answers for all 256 client bytes, each result and each name", () => {
  let verified = 0;
  for (let client = 0; client < 256; client++) {
    for (const result of RESULTS) {
      for (const names of ["", tlv("22", "6e616d65"), tlv("21", "544c53")]) {
        const ssl = tlv("20", toHex(client) + result + names);
        const info = decode(v2("2111", BLOCK4 + ssl));
        assert(info);
        const hasCertificate = (client & (ON_CONNECTION | IN_SESSION)) !== 0;
        const expected = (client & OVER_TLS) !== 0 && hasCertificate &&
          /^0+$/.test(result);
        assertEquals(isClientVerified(info), expected, ssl);
        if (expected) verified++;
      }
    }
  }
  assertEquals(verified, 3 * 96); // 256 bytes, of which 1/2 * 3/4 are so
});

Deno.test("isClientVerified() takes no word for it from outside SSL", () => {
  const inside = "0700000000";
  for (
    const [tlvs, isVerified] of [
      ["", false],
      [tlv("22", "6e616d65"), false], // a name, beside no SSL
      [tlv("e0", inside), false], // the same bytes in another type
      [tlv("20", "0700000001") + tlv("e0", inside), false],
      [tlv("20", inside) + tlv("22", "6e616d65"), true],
    ] as const
  ) {
    const info = decode(v2("2111", BLOCK4 + tlvs));
    assert(info);
    assertEquals(isClientVerified(info), isVerified, tlvs);
  }
});

Deno.test("isClientVerified() believes no SSL that is too short, read leniently", () => {
  for (let length = 0; length < 5; length++) {
    const short = tlv("20", "0700000000".slice(0, 2 * length));
    for (const bytes of [v2("2111", BLOCK4 + short), v2("2000", short)]) {
      const info = decode(bytes, { tlvs: "lenient" });
      assert(info);
      assertEquals(isClientVerified(info), false, short);
    }
  }
});

Deno.test("isClientVerified() goes by the last of two SSL, whichever that is", () => {
  const good = tlv("20", "0700000000");
  const others = ["0700000001", "0100000000", "0000000000"];
  for (const other of others.map((value) => tlv("20", value))) {
    for (
      const [tlvs, isVerified] of [
        [good + other, false],
        [other + good, true],
      ] as const
    ) {
      const info = decode(v2("2111", BLOCK4 + tlvs));
      assert(info);
      assertEquals(isClientVerified(info), isVerified, tlvs);
    }
  }
});
