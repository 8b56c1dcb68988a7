/** The headers of `./testing` are those that were captured, or that providers document. */

import { assert, assertEquals } from "@std/assert";
import {
  awsVpcEndpointId,
  azurePrivateEndpointLinkId,
  decode,
  gcpPscConnectionId,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { REJECTED, SENDERS } from "../../conn/testing.ts";
import { assertBytes, utf8 } from "../_bytes.ts";
import { captured } from "../_captures.ts";
import { vectorNamed } from "../codec/_vectors.ts";

/** Where each of the senders comes from: the name of a capture, or bytes. */
const SOURCES: Record<keyof typeof SENDERS, string | Uint8Array> = {
  haproxyV1: "haproxy-chain-v1",
  haproxyV1Ipv6: "haproxy-chain-v1-2",
  haproxyV1Unknown: "haproxy-v1-noaddr",
  haproxyV2: "haproxy-chain-v2-4",
  haproxyV2Ipv6: "haproxy-v2-setsrc",
  haproxyV2Tls: "haproxy-v2-all",
  haproxyHealthCheck: "haproxy-check-v2",
  nginxV1: "nginx-chain-realip",
  nginxV1Mapped: "nginx-stream-v1-mapped",
  trafficServerV2: "trafficserver-v2-chain-ipv4",
  trafficServerV2Ipv6: "trafficserver-v2-chain-ipv6",
  varnishV2: "varnish-v2-ipv4",
  hitchV2: "hitch-v2-alpn",
  goProxyprotoV2: "go-proxyproto-v2-tcp4-tlvs",
  goProxyprotoV2Unix: "go-proxyproto-v2-unix",
  awsNlb: vectorNamed("the header of an AWS Network Load Balancer").bytes,
  azurePrivateLink: valueOf("the TLV of Azure Private Link"),
  googlePsc: valueOf("the TLV of Google Private Service Connect"),
  cloudflareSpectrum: utf8(
    "PROXY TCP4 192.0.2.0 192.0.2.255 42300 443\r\n",
  ),
};

/** The TLV of a vector, whose addresses are others. */
function valueOf(name: string): Uint8Array {
  return vectorNamed(name).bytes.subarray(28);
}

for (const [name, sample] of Object.entries(SENDERS)) {
  Deno.test(`SENDERS.${name} is what its origin says`, () => {
    const source = Object.entries(SOURCES).find(([key]) => key === name)?.[1];
    assert(source !== undefined);
    if (typeof source === "string") {
      assertBytes(sample.bytes, captured(source).header);
      assert(sample.origin.endsWith(", captured"));
    } else {
      assertBytes(sample.bytes.subarray(-source.length), source);
      assert(sample.origin.includes("documentation"));
    }
    assertEquals(sample.info, decode(sample.bytes));
  });

  Deno.test(`SENDERS.${name} cannot be changed by one test for another`, () => {
    const { bytes } = sample;
    sample.bytes.fill(0);
    sample.info.raw.fill(0);
    assertBytes(sample.bytes, bytes);
    assertEquals(sample.info, decode(bytes));
  });
}

Deno.test("SENDERS of providers have the value by which each is known", () => {
  const { awsNlb, azurePrivateLink, googlePsc } = SENDERS;
  assertEquals(awsVpcEndpointId(awsNlb.info), "vpce-08d2bf15fac5001c9");
  assertEquals(azurePrivateEndpointLinkId(azurePrivateLink.info), 0x12345678);
  assertEquals(gcpPscConnectionId(googlePsc.info), 0x0102030405060708n);
});

Deno.test("REJECTED holds what decode() rejects with the code that it names", () => {
  for (const [name, { bytes, code }] of Object.entries(REJECTED)) {
    let thrown: unknown;
    try {
      decode(bytes);
    } catch (error) {
      thrown = error;
    }
    assert(thrown instanceof ProxyProtocolError, name);
    assertEquals(thrown.code, code, name);
  }
  assertBytes(
    REJECTED.nginxMixedFamilies.bytes,
    captured("nginx-chain-realip-mixed").header,
  );
  const { wrongChecksum } = REJECTED;
  assertEquals(
    decode(wrongChecksum.bytes, { checksum: "ignore" })?.tlvs.AUTHORITY,
    "auth.example",
  );
});
