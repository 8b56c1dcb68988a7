import { assert, assertEquals } from "@std/assert";
import { type Address, decode, formatAddress } from "../../codec/mod.ts";
import { net, unix } from "./_facts.ts";
import { v2 } from "./_hex.ts";
import { ACCEPTED } from "./_vectors.ts";

const TEXTS: readonly (readonly [Address | undefined, string])[] = [
  [net("192.0.2.1", 443), "192.0.2.1:443"],
  [net("192.0.2.1", 0, "udp"), "192.0.2.1:0"],
  [net("2001:db8::1", 443), "[2001:db8::1]:443"],
  [net("::ffff:192.0.2.1", 443), "[::ffff:192.0.2.1]:443"],
  [net("fe80::1%eth0", 22), "[fe80::1%eth0]:22"],
  [net("localhost", 22), "localhost:22"],
  [net("", 0), "unknown"],
  [net("a\nb c", 1), '"a\\nb c":1'],
  [undefined, "unknown"],
  [unix("/run/a.sock"), "unix:/run/a.sock"],
  [unix("/run/a.sock", "unixpacket"), "unixpacket:/run/a.sock"],
  [unix(""), "unix:"],
  [unix("\0abstract"), "unix:@abstract"],
  [unix("\0a b"), 'unix:@"a b"'],
  [unix("@relative"), 'unix:"@relative"'],
  [unix("/run/ä.sock"), "unix:/run/ä.sock"],
  [unix("/run/a b"), 'unix:"/run/a b"'],
  [unix('/run/"a"'), 'unix:"/run/\\"a\\""'],
  [unix("/run/a\\b"), 'unix:"/run/a\\\\b"'],
  [unix("/a\n2026 accepted"), 'unix:"/a\\n2026 accepted"'],
  [unix("/\x1b[2J"), 'unix:"/\\u001b[2J"'],
  [unix("/\u202egnp"), 'unix:"/\\u202egnp"'],
  [unix("/\udcff"), 'unix:"/\\udcff"'],
  [unix(`/${"a".repeat(107)}`), `unix:/${"a".repeat(107)}`],
];

for (const [address, text] of TEXTS) {
  Deno.test(`formatAddress() writes ${JSON.stringify(text)}`, () => {
    assertEquals(formatAddress(address), text);
  });
}

Deno.test("formatAddress() writes the addresses of every header on one line", () => {
  for (const { bytes, options } of ACCEPTED) {
    const info = decode(bytes, options);
    for (const end of [info?.source, info?.destination]) {
      const text = formatAddress(end);
      assert(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(text), text);
    }
  }
});

Deno.test("formatAddress() never writes two paths of one byte alike", () => {
  const texts = new Set<string>();
  for (let byte = 1; byte < 256; byte++) {
    const path = byte.toString(16).padStart(2, "0");
    const block = path + "00".repeat(107) + "2f" + "00".repeat(107);
    texts.add(formatAddress(decode(v2("2131", block))?.source));
  }
  assertEquals(texts.size, 255);
});
