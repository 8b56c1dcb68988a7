import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  awsVpcEndpointId,
  bytesNeeded,
  decode,
  type DecodeOptions,
  defineTlv,
  describe,
  encode,
  gcpPscConnectionId,
  isClientVerified,
  ProxyProtocolError,
  type TlvReader,
} from "../../codec/mod.ts";
import { BLOCK4, textHex, tlv, v2 } from "./_hex.ts";

/** Two bytes as a number; bytes of any other length are of somebody else. */
const tenant = defineTlv({
  type: 0xe4,
  name: "TENANT",
  read: (value) =>
    value.length === 2
      ? new DataView(value.buffer, value.byteOffset).getUint16(0)
      : undefined,
});

/** Rejects the header unless the value is `ok`. */
const signed = defineTlv({
  type: 0xe5,
  name: "SIGNED",
  read(value) {
    const text = new TextDecoder().decode(value);
    if (text !== "ok") throw new Error("wrong signature");
    return text;
  },
});

function header(...tlvs: string[]): Uint8Array {
  return v2("2111", BLOCK4 + tlvs.join(""));
}

Deno.test("decode() adds what is defined to the TLVs, beside its bytes", () => {
  const info = decode(header(tlv("01", "6832"), tlv("e4", "0102")), {
    define: [tenant],
  });
  assert(info !== undefined);
  assertEquals(info.tlvs.TENANT, 258);
  assertEquals(info.tlvs.xE4, Uint8Array.of(1, 2));
  assertEquals(info.tlv_loc, { ALPN: 0, xE4: 5, TENANT: 5 });
  assertEquals(tenant(info), 258);
  assert(describe(info).endsWith(' ALPN="h2" xE4=0x0102 TENANT=258'));
});

Deno.test("decode() adds nothing of another shape, nor where there is nothing", () => {
  for (
    const bytes of [
      header(),
      header(tlv("e4", "01")),
      header(tlv("e3", "0102")),
      header(tlv("20", "0100000000" + tlv("e4", "0102"))),
      v2("2000"),
    ]
  ) {
    const info = decode(bytes, { define: [tenant] });
    assert(info !== undefined);
    assertEquals("TENANT" in info.tlvs, false);
    assertEquals(tenant(info), undefined);
  }
  const line = decode(new TextEncoder().encode("PROXY UNKNOWN \xe4\r\n"), {
    define: [tenant],
  });
  assert(line !== undefined);
  assertEquals(tenant(line), undefined);
});

Deno.test("decode() reads the last TLV that has the shape", () => {
  const bytes = header(
    ...[tlv("e4", "0001"), tlv("e4", "0002"), tlv("e4", "03")],
  );
  const info = decode(bytes, { define: [tenant] });
  assert(info !== undefined);
  assertEquals([info.tlvs.TENANT, tenant(info)], [2, 2]);
  assertEquals(info.tlv_loc["TENANT"], 5);
  assertEquals(info.tlvs.xE4, Uint8Array.of(3));
});

Deno.test("decode() asks each of several readers of one type", () => {
  const other = defineTlv({
    type: 0xe4,
    name: "NAME",
    read: (value) => value.length > 2 ? `${value.length}` : undefined,
  });
  const define = [tenant, other];
  const one = decode(header(tlv("e4", "0001")), { define });
  assertEquals([one?.tlvs.TENANT, one?.tlvs.NAME], [1, undefined]);
  const two = decode(header(tlv("e4", "000102")), { define });
  assertEquals([two?.tlvs.TENANT, two?.tlvs.NAME], [undefined, "3"]);
});

Deno.test("decode() takes the readers of vendors, and JSON has their values", () => {
  const bytes = header(
    tlv("ea", "01" + textHex("vpce-1")) + tlv("e0", "00000000000000ff"),
  );
  const define = [awsVpcEndpointId, gcpPscConnectionId];
  const info = decode(bytes, { define });
  assertEquals(info?.tlvs.AWS_VPC_ENDPOINT_ID, "vpce-1");
  assertEquals(info?.tlvs.GCP_PSC_CONNECTION_ID, 255n);
  const { tlvs } = JSON.parse(JSON.stringify(info));
  assertEquals(tlvs, {
    xEA: "01" + textHex("vpce-1"),
    xE0: "00000000000000ff",
    AWS_VPC_ENDPOINT_ID: "vpce-1",
    GCP_PSC_CONNECTION_ID: "255",
  });
});

Deno.test("decode() rejects a header whose reader throws, where TLVs are checked", () => {
  const define = [signed];
  assertEquals(
    decode(header(tlv("e5", textHex("ok"))), { define })?.tlvs.SIGNED,
    "ok",
  );
  const wrong = header(tlv("01", "6832"), tlv("e5", textHex("no")));
  for (const read of [decode, bytesNeeded]) {
    const error = assertThrows(
      () => read(wrong, { define }),
      ProxyProtocolError,
    );
    assertEquals([error.code, error.offset, error.version], ["tlv", 33, 2]);
    assertEquals(
      error.message,
      "Cannot decode TLVs: SIGNED at byte 33, its reader failed: wrong signature",
    );
    assert(error.cause instanceof Error);
    // Not before all of it is in.
    assertEquals(read(wrong.subarray(0, wrong.length - 1), { define }) || 1, 1);
  }
  const lenient = decode(wrong, { define, tlvs: "lenient" });
  assertEquals(lenient && "SIGNED" in lenient.tlvs, false);
  assertEquals(
    decode(v2("2000", tlv("e5", "00")), { define })?.command,
    "LOCAL",
  );
  const plain = decode(wrong);
  assertEquals(plain && signed(plain), undefined);
});

Deno.test("decode() reads each header by itself, although a reader decodes others", () => {
  const nested = defineTlv({
    type: 0xe6,
    name: "NESTED",
    read: (value) => decode(value)?.source?.hostname,
  });
  const inner = encode({
    source: { transport: "tcp", hostname: "2001:db8::1", port: 1 },
    destination: { transport: "tcp", hostname: "2001:db8::2", port: 2 },
    tlvs: { ALPN: "h3" },
  }, { checksum: true });
  const digits = tlv("e6", inner.toHex()) + tlv("02", textHex("a.example"));
  const bytes = header(digits + tlv("e6", inner.toHex()));
  const info = decode(bytes, { define: [nested] });
  assertEquals(info?.tlvs.NESTED, "2001:db8::1");
  assertEquals(info?.source?.hostname, "192.0.2.1");
  assertEquals(info?.tlvs.AUTHORITY, "a.example");
});

Deno.test("encode() writes the bytes that a value was read from, of copies too", () => {
  const bytes = header(
    ...[tlv("e4", "0001"), tlv("01", "6832"), tlv("e4", "0102")],
  );
  const info = decode(bytes, { define: [tenant] });
  assert(info !== undefined);
  for (const copy of [info, { ...info }, structuredClone(info)]) {
    assertEquals(encode(copy), bytes);
    assertEquals(tenant(copy), 258);
  }
  // Without `raw` only the last of both.
  const { raw: _, ...bare } = info;
  assertEquals(
    encode(bare).subarray(28).toHex(),
    tlv("e4", "0102") + tlv("01", "6832"),
  );
  const changed = { ...info, tlvs: { ...info.tlvs, xE4: Uint8Array.of(9) } };
  assertEquals(
    encode(changed).subarray(28).toHex(),
    tlv("01", "6832") + tlv("e4", "09"),
  );
  assertThrows(
    () => encode({ source: info.source!, tlvs: { ...info.tlvs } }),
    TypeError,
    "tlvs.TENANT: unknown name",
  );
});

Deno.test("isClientVerified() and its like are not misled by a name", () => {
  const info = decode(header(tlv("e4", "0001")), { define: [tenant] });
  assert(info !== undefined);
  assertEquals(isClientVerified(info), false);
});

/** As a caller without types may give it. */
function untyped(value: object): Parameters<typeof defineTlv>[0] {
  const given: unknown = value;
  return given as Parameters<typeof defineTlv>[0];
}

const read = () => 1;

for (
  const [given, type, message] of [
    [{ type: 256, name: "A", read }, RangeError, "type must be 0 to 255"],
    [{ type: 1.5, name: "A", read }, RangeError, "type must be 0 to 255"],
    [{ type: "1", name: "A", read }, TypeError, "type must be 0 to 255"],
    [{ type: 1, name: "", read }, TypeError, "expected a name"],
    [{ type: 1, name: "__proto__", read }, TypeError, "expected a name"],
    [{ type: 1, name: "A-B", read }, TypeError, "expected a name"],
    [{ type: 1, name: 1, read }, TypeError, "expected a name"],
    [{ type: 1, name: "ALPN", read }, TypeError, '"ALPN" is the name of'],
    [{ type: 1, name: "SSL_CLIENT", read }, TypeError, '"SSL_CLIENT" is'],
    [{ type: 1, name: "xEA", read }, TypeError, '"xEA" is the name of'],
    [{ type: 1, name: "A" }, TypeError, "expected a function"],
    [
      { type: 1, name: "A", read, reed: 1 },
      TypeError,
      'unknown name "reed", did you mean "read"?',
    ],
  ] as const
) {
  Deno.test(`defineTlv() says ${message} of ${JSON.stringify(given)}`, () => {
    assertThrows(() => defineTlv(untyped(given)), type, message);
  });
}

Deno.test("decode() says what is wrong with a list of definitions", () => {
  const bytes = header();
  const refuse = (define: unknown, message: string) => {
    const options: DecodeOptions = {};
    Reflect.set(options, "define", define);
    assertThrows(() => decode(bytes, options), TypeError, message);
  };
  refuse(tenant, "Cannot read define: expected a list");
  refuse([{}], "Cannot read define[0]: expected what defineTlv() returns");
  refuse([tenant, () => 1], "Cannot read define[1]: expected what");
  const list: TlvReader[] = [signed, tenant, tenant];
  refuse(list, 'Cannot read define[2]: "TENANT" is there already');
});

Deno.test("a reader that throws what is no Error rejects with its text", () => {
  const failing = defineTlv({
    type: 0xe4,
    name: "FAILING",
    read: () => {
      throw "no text of ours";
    },
  });
  const bytes = header(tlv("e4", "01"));
  const error = assertThrows(() => decode(bytes, { define: [failing] }));
  assert(error instanceof Error);
  assert(error.message.endsWith("its reader failed: no text of ours"));
});

Deno.test("a reader finds nothing in what has neither rest nor raw", () => {
  const tenant = defineTlv({ type: 0xe4, name: "TENANT", read: () => 1 });
  assertEquals(tenant({ version: 2 }), undefined);
});
