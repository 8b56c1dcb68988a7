import { assert, assertEquals } from "@std/assert";
import { decode, isClientVerified, type Tlvs } from "../../codec/mod.ts";
import { vectorNamed } from "./_vectors.ts";

/** Section 2.2.6: SSL, and a certificate on this connection or in the session. */
const WITH_CERTIFICATE: readonly number[] = [3, 5, 7];

Deno.test("isClientVerified() wants TLS, a certificate and a result of 0", () => {
  for (let bits = 0; bits < 8; bits++) {
    for (const verify of [0, 1, 0x80000000, 0xffffffff]) {
      for (const SSL of [true, false]) {
        const tlvs = { SSL, SSL_CLIENT: bits, SSL_VERIFY: verify };
        assertEquals(
          isClientVerified({ tlvs }),
          SSL && verify === 0 && WITH_CERTIFICATE.includes(bits),
          JSON.stringify(tlvs),
        );
      }
    }
  }
});

Deno.test("isClientVerified() is false where a part is missing", () => {
  const parts: Tlvs[] = [
    {},
    { SSL: true },
    { SSL: true, SSL_CLIENT: 7 },
    { SSL: true, SSL_VERIFY: 0 },
    { SSL_CLIENT: 7, SSL_VERIFY: 0 },
    { SSL_CN: "example.com" },
  ];
  for (const tlvs of parts) assertEquals(isClientVerified({ tlvs }), false);
});

/** What the senders' notes say of the client. */
const SEEN: readonly [string, boolean][] = [
  ["haproxy-v2-ssl", false], // verify 0 without a certificate
  ["haproxy-v2-ssl-2", true],
  ["haproxy-v2-ssl-cn-3", true],
  ["haproxy-v2-ssl-on-plain", false],
  ["hitch-v2-ipv4", false],
  ["haproxy-check-v2", false],
  ["haproxy-v1-ipv4", false],
];

for (const [name, isVerified] of SEEN) {
  Deno.test(`isClientVerified() is ${isVerified} for the capture ${name}`, () => {
    const info = decode(vectorNamed(`the capture ${name}`).bytes);
    assert(info !== undefined);
    assertEquals(isClientVerified(info), isVerified);
  });
}
