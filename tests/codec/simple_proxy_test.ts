import { assertEquals, assertThrows } from "@std/assert";
import { concat } from "@std/bytes";
import fc from "fast-check";
import {
  type DecodedSimpleDatagram,
  decodeSimpleDatagram,
  encodeSimpleDatagram,
  ProxyProtocolError,
  type SimpleDatagramHeader,
} from "../../codec/mod.ts";
import { ascii, hex } from "./_hex.ts";

/** Written by hand from the fields of Cloudflare's documentation. */
const MAPPED = hex(
  "56ec 00000000000000000000ffffc0000201 00000000000000000000ffffc6336401 1388 0035",
);
const IPV6 = hex(
  "56ec 20010db8000000000000000000000001 20010db8000000000000000000000002 ffff 0000",
);
const PAYLOAD = ascii("hello");

type Ends = Pick<DecodedSimpleDatagram, "source" | "destination">;

const CASES: [string, Uint8Array<ArrayBuffer>, Ends][] = [
  ["mapped addresses as IPv4", MAPPED, {
    source: { transport: "udp", hostname: "192.0.2.1", port: 5000 },
    destination: { transport: "udp", hostname: "198.51.100.1", port: 53 },
  }],
  ["IPv6 addresses", IPV6, {
    source: { transport: "udp", hostname: "2001:db8::1", port: 65535 },
    destination: { transport: "udp", hostname: "2001:db8::2", port: 0 },
  }],
];

for (const [name, header, ends] of CASES) {
  Deno.test(`decodeSimpleDatagram() shows ${name}`, () => {
    const datagram = concat([header, PAYLOAD]);
    const decoded = decodeSimpleDatagram(datagram);
    assertEquals(decoded, { ...ends, payload: PAYLOAD });
    assertEquals(decoded.payload.buffer, datagram.buffer);
  });
  Deno.test(`encodeSimpleDatagram() writes ${name}`, () => {
    assertEquals(
      encodeSimpleDatagram(ends, PAYLOAD),
      concat([header, PAYLOAD]),
    );
    assertEquals(encodeSimpleDatagram(ends, new Uint8Array()), header);
  });
}

Deno.test("decodeSimpleDatagram() reads views that begin behind other bytes", () => {
  const whole = concat([PAYLOAD, MAPPED, PAYLOAD]);
  const { source, payload } = decodeSimpleDatagram(
    whole.subarray(PAYLOAD.length),
  );
  assertEquals([source.hostname, source.port], ["192.0.2.1", 5000]);
  assertEquals(payload, PAYLOAD);
});

Deno.test("decodeSimpleDatagram() refuses a datagram that ends within its header", () => {
  for (let length = 0; length < MAPPED.length; length++) {
    const received = MAPPED.subarray(0, length);
    const error = assertThrows(
      () => decodeSimpleDatagram(received),
      ProxyProtocolError,
      `expected 38 bytes, received ${length}`,
    );
    assertEquals(error.code, length === 0 ? "empty" : "incomplete");
    assertEquals([error.offset, error.received], [length, received]);
  }
});

Deno.test("decodeSimpleDatagram() refuses any other first byte or second byte", () => {
  for (const at of [0, 1]) {
    for (let byte = 0; byte <= 0xff; byte++) {
      if (byte === MAPPED[at]) continue;
      const datagram = MAPPED.slice();
      datagram[at] = byte;
      const error = assertThrows(
        () => decodeSimpleDatagram(datagram),
        ProxyProtocolError,
      );
      assertEquals([error.code, error.offset], ["signature", at]);
    }
  }
  const short = assertThrows(
    () => decodeSimpleDatagram(hex("57")),
    ProxyProtocolError,
  );
  assertEquals([short.code, short.offset], ["signature", 0]);
});

const UDP = { transport: "udp", hostname: "192.0.2.1", port: 5000 } as const;

/** Headers that cannot be told, and what the error says. */
const REFUSED: [SimpleDatagramHeader, typeof Error, string][] = [
  [
    { source: { ...UDP, transport: "tcp" }, destination: UDP },
    TypeError,
    "destination.transport: udp does not go with tcp",
  ],
  [
    {
      source: { ...UDP, transport: "tcp" },
      destination: { ...UDP, transport: "tcp" },
    },
    TypeError,
    "transport: DGRAM does not go with tcp",
  ],
  [
    {
      source: { transport: "unixpacket", path: "/a" },
      destination: { transport: "unixpacket", path: "/b" },
    },
    TypeError,
    "family: INET6 does not go with UNIX addresses",
  ],
  [
    { source: { ...UDP, hostname: "example.com" }, destination: UDP },
    TypeError,
    'source.hostname: expected an IP address, received "example.com"',
  ],
  [
    { source: UDP, destination: { ...UDP, port: 65536 } },
    RangeError,
    "destination.port: must be 0 to 65535, received 65536",
  ],
];

for (const [header, kind, message] of REFUSED) {
  Deno.test(`encodeSimpleDatagram() refuses ${message}`, () => {
    assertThrows(() => encodeSimpleDatagram(header, PAYLOAD), kind, message);
  });
}

Deno.test("encodeSimpleDatagram() refuses a header without addresses", () => {
  // As a caller without types may have it.
  const header: SimpleDatagramHeader = JSON.parse("{}");
  assertThrows(
    () => encodeSimpleDatagram(header, PAYLOAD),
    TypeError,
    "source: missing",
  );
});

Deno.test("decodeSimpleDatagram() reads whatever has the magic number, and it is encoded back", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 36, maxLength: 80 }),
      fc.boolean(),
      (rest, isMapped) => {
        const datagram = concat([hex("56ec"), rest]);
        if (isMapped) datagram.set(MAPPED.subarray(2, 14), 2);
        const decoded = decodeSimpleDatagram(datagram);
        assertEquals(encodeSimpleDatagram(decoded, decoded.payload), datagram);
      },
    ),
    { seed: 20260427, numRuns: 1000 },
  );
});
