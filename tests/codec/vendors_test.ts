import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  alibabaEndpointId,
  alibabaServiceId,
  alibabaVpcId,
  awsVpcEndpointId,
  azurePrivateEndpointLinkId,
  decode,
  gcpPscConnectionId,
  type ProxyInfo,
  ztunnelHostname,
  ztunnelIdentity,
} from "../../codec/mod.ts";
import { ascii, BLOCK4, textHex, tlv, v2 } from "./_hex.ts";
import { vectorNamed } from "./_vectors.ts";

/** What others send in 0xE1. */
const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const JA4 = "t13d1516h2_8daaf6152771_e5627efa2ab1";

const READERS = [
  awsVpcEndpointId,
  azurePrivateEndpointLinkId,
  gcpPscConnectionId,
];

function infoOf(bytes: Uint8Array): ProxyInfo {
  const info = decode(bytes, { tlvs: "lenient" });
  assert(info !== undefined);
  return info;
}

/** What the three readers say of TLVs behind an address block. */
function read(digits: string) {
  const info = infoOf(v2("2111", BLOCK4 + digits));
  return READERS.map((reader) => reader(info));
}

Deno.test("awsVpcEndpointId() reads what a Network Load Balancer sends", () => {
  const { bytes } = vectorNamed("the header of an AWS Network Load Balancer");
  assertEquals(awsVpcEndpointId(infoOf(bytes)), "vpce-08d2bf15fac5001c9");
});

Deno.test("azurePrivateEndpointLinkId() reads the low byte first", () => {
  const { bytes } = vectorNamed("the TLV of Azure Private Link");
  assertEquals(azurePrivateEndpointLinkId(infoOf(bytes)), 0x12345678);
  assertEquals(read("ee0005 01 fffffffe")[1], 0xfeffffff);
});

Deno.test("gcpPscConnectionId() reads all 64 bits", () => {
  const { bytes } = vectorNamed("the TLV of Google Private Service Connect");
  assertEquals(gcpPscConnectionId(infoOf(bytes)), 0x0102030405060708n);
  assertEquals(
    read(tlv("e0", "ffffffffffffffff"))[2],
    0xffffffffffffffffn,
  );
});

/** TLVs of the three types that mean something else. */
const OTHERS: readonly [string, string][] = [
  ["no TLVs", ""],
  ["other types", tlv("e1", "01" + "00".repeat(7)) + tlv("ed", "0100000000")],
  ["values of no bytes", tlv("ea") + tlv("ee") + tlv("e0")],
  [
    "another kind of value",
    tlv("ea", "02" + textHex("vpce-1")) + tlv("ee", "0200000000"),
  ],
  [
    "values too short",
    tlv("ea", "01") + tlv("ee", "01000000") + tlv("e0", "00".repeat(7)),
  ],
  ["values too long", tlv("ee", "010000000000") + tlv("e0", "00".repeat(9))],
  [
    "the types inside SSL",
    tlv("20", "0100000001" + tlv("ea", "0161") + tlv("ee", "0100000000")),
  ],
];

for (const [name, digits] of OTHERS) {
  Deno.test(`awsVpcEndpointId() and its like read nothing of ${name}`, () => {
    assertEquals(read(digits), [undefined, undefined, undefined]);
  });
}

Deno.test("awsVpcEndpointId() reads nothing of an id without its kind", () => {
  // haproxy was told to send this one.
  const { bytes } = vectorNamed("the capture haproxy35-tlv");
  assertEquals(awsVpcEndpointId(infoOf(bytes)), undefined);
});

Deno.test("awsVpcEndpointId() and its like take the last value that suits", () => {
  const digits = tlv("ea", "0161") + tlv("ea", "0162") + tlv("ea", "0263") +
    tlv("ee", "0101000000") + tlv("ee", "0102000000") + tlv("ee", "03") +
    tlv("e0", "0000000000000001") + tlv("e0", "0000000000000002") +
    tlv("e0", "03");
  assertEquals(read(digits), ["b", 2, 2n]);
});

Deno.test("awsVpcEndpointId() and its like read what was read leniently", () => {
  const good = tlv("ea", "0161") + tlv("ee", "0101000000") +
    tlv("e0", "0000000000000001");
  assertEquals(read(good + "ea"), ["a", 1, 1n]);
  assertEquals(read("eaffff" + good), [undefined, undefined, undefined]);
});

Deno.test("awsVpcEndpointId() and its like read nothing of v1", () => {
  const info = infoOf(ascii("PROXY UNKNOWN \xea\0\x02\x01a\r\n"));
  for (const reader of READERS) assertEquals(reader(info), undefined);
});

Deno.test("awsVpcEndpointId() refuses an info that has come as JSON, without its bytes", () => {
  const info: ProxyInfo = JSON.parse('{ "version": 2, "rest": {} }');
  assertThrows(() => awsVpcEndpointId(info), TypeError, "Uint8Array");
});

/** What each reads, and what others send under the same type. */
const READINGS: readonly (readonly [
  (info: ProxyInfo) => unknown,
  type: string,
  read: readonly string[],
  others: readonly string[],
])[] = [
  [
    alibabaVpcId,
    "e1",
    ["\x01vpc-bp1aevy8sofi8mh1q0a2b"],
    ["\x02vpc-bp1", "\x01", "\x01vpc bp1", "vpc-bp1", TRACEPARENT, JA4],
  ],
  [
    alibabaEndpointId,
    "e1",
    ["\x02ep-bp1i3a6f0d4e5c2b1a09"],
    ["\x01ep-bp1", "\x02", "\x02ep-bp1\0", TRACEPARENT, JA4],
  ],
  [
    alibabaServiceId,
    "e1",
    ["\x03epsrv-bp1i3a6f0d4e5c2b1a09"],
    ["\x01epsrv-1", "\x03", "\x03\x03a", TRACEPARENT, JA4],
  ],
  [
    ztunnelIdentity,
    "d0",
    ["spiffe://cluster.local/ns/shop/sa/web", "spiffe://a_b.c-1/x"],
    [
      ...["", "spiffe://", "spiffe://cluster.local", "https://a/b"],
      ...["spiffe://a/b\n", "spiffe://a/b c", " spiffe://a/b", "SPIFFE://A/b"],
    ],
  ],
  [
    ztunnelHostname,
    "d1",
    ["web.shop.svc.cluster.local", "*.example", "a", "web.example."],
    ["", ".", "a..b", "a b", "a\n", "\0", "a".repeat(254), "spiffe://a/b"],
  ],
  [
    awsVpcEndpointId,
    "ea",
    ["\x01vpce-08d2bf15fac5001c9"],
    ["\x01vpce 1", "\x01\n", "\x01\xff", "\x01", "vpce-1"],
  ],
];

for (const [reader, type, values, others] of READINGS) {
  const name = "tlvName" in reader ? `${reader.tlvName}` : "";
  Deno.test(`decode() reads ${name} of its own shape, and of no other`, () => {
    for (const value of [...values, ...others]) {
      const digits = tlv(type, ascii(value).toHex());
      const info = infoOf(v2("2111", BLOCK4 + digits));
      // Kinds of value have a byte in front of them.
      const expected = values.includes(value)
        ? value.slice(value.charCodeAt(0) < 4 ? 1 : 0)
        : undefined;
      assertEquals(reader(info), expected, JSON.stringify(value));
    }
  });
}
