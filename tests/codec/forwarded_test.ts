import { assert, assertEquals } from "@std/assert";
import { decode, encode, forwarded, type Tlvs } from "../../codec/mod.ts";
import { net, unix } from "./_facts.ts";
import { ascii, v2 } from "./_hex.ts";
import { ACCEPTED } from "./_vectors.ts";

const SOURCE = net("192.0.2.43", 47011);
const DESTINATION = net("198.51.100.17", 443);
const ENDS = 'for="192.0.2.43:47011";by="198.51.100.17:443"';

/** Headers, and the value; the form of the nodes is that of RFC 7239, sections 4 and 6. */
const VALUES: readonly (readonly [string, Uint8Array, string])[] = [
  [
    "v1 TCP4",
    encode({ version: 1, source: SOURCE, destination: DESTINATION }),
    ENDS,
  ],
  ["v2 TCP4", encode({ source: SOURCE, destination: DESTINATION }), ENDS],
  [
    "v2 TCP6",
    encode({
      source: net("2001:db8:cafe::17", 4711),
      destination: net("2001:db8::1", 443),
    }),
    'for="[2001:db8:cafe::17]:4711";by="[2001:db8::1]:443"',
  ],
  [
    "mixed families",
    encode({ source: SOURCE, destination: net("2001:db8::1", 443) }),
    'for="[::ffff:192.0.2.43]:47011";by="[2001:db8::1]:443"',
  ],
  [
    "port 0",
    encode({ source: net("192.0.2.43", 0), destination: DESTINATION }),
    'for="192.0.2.43:0";by="198.51.100.17:443"',
  ],
  [
    "UNIX",
    encode({ source: unix('/run/"a;b=c\n'), destination: unix("/run/b") }),
    "for=_unix;by=_unix",
  ],
  ["LOCAL", v2("2000"), "for=unknown"],
  ["UNKNOWN", ascii("PROXY UNKNOWN\r\n"), "for=unknown"],
  ["UNSPEC", v2("2100"), "for=unknown"],
];

for (const [name, bytes, value] of VALUES) {
  Deno.test(`forwarded() gives the value of ${name}`, () => {
    const info = decode(bytes);
    assert(info !== undefined);
    assertEquals(forwarded(info), value);
  });
}

/** TLVs, and whether the client is known to have used TLS. */
const PROTOS: readonly (readonly [Tlvs, boolean])[] = [
  [{}, false],
  [{ AUTHORITY: "a.example", ALPN: "h2" }, false],
  [{ SSL: true }, true],
  [{ SSL: true, SSL_CLIENT: 7, SSL_VERIFY: 0 }, true],
  [{ SSL: true, SSL_CLIENT: 0 }, false],
  [{ SSL: true, SSL_CLIENT: 6 }, false],
];

for (const [tlvs, isTls] of PROTOS) {
  Deno.test(`forwarded() says https ${isTls} of ${JSON.stringify(tlvs)}`, () => {
    const info = decode(
      encode({ source: SOURCE, destination: DESTINATION, tlvs }),
    );
    assert(info !== undefined);
    assertEquals(forwarded(info), isTls ? `${ENDS};proto=https` : ENDS);
  });
}

Deno.test("forwarded() gives the grammar of RFC 7239 for every header, and HTTP takes it", () => {
  const pair = String
    .raw`(?:for|by)=(?:unknown|_unix|"(?:[\d.]+|\[[\da-f:.]+\]):\d{1,5}")`;
  const grammar = new RegExp(`^${pair}(?:;${pair})?(?:;proto=https)?$`);
  for (const { bytes, options, name } of ACCEPTED) {
    const info = decode(bytes, options);
    assert(info !== undefined);
    const value = forwarded(info);
    assert(grammar.test(value), `${name}: ${value}`);
    assertEquals(new Headers({ forwarded: value }).get("forwarded"), value);
  }
});
