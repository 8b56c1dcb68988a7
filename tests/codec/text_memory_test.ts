/** Texts that are remembered are those of their own bytes, whatever else came. */

import { assertEquals } from "@std/assert";
import { decode, decodeTlvs, encodeTlvs } from "../../codec/mod.ts";
import { hex, SIGNATURE_HEX, tlv } from "./_hex.ts";

/** Far more than are remembered. */
const MANY = 3_000;

/** Hex digits of 32 bits, and more to the same length. */
function digits(bits: number, length = 8): string {
  return (bits >>> 0).toString(16).padStart(8, "0").padEnd(length, "0");
}

/** Numbers that differ in all places: the words of addresses and of texts. */
const NUMBERS: readonly number[] = [
  ...Array.from({ length: MANY }, (_, i) => Math.imul(i, 0x2c1b3c6d)),
  ...Array.from({ length: MANY }, (_, i) => i),
  ...Array.from({ length: 256 }, (_, i) => i << 24),
];

/** Each number several times: again at once, after one other, after many others. */
const COMING: readonly number[] = NUMBERS.flatMap((number, i) => [
  number,
  number,
  NUMBERS[i - 1] ?? 0,
  NUMBERS[i - 300] ?? 0,
  number,
]);

function dotted(bits: number): string {
  return [24, 16, 8, 0].map((shift) => bits >>> shift & 0xff).join(".");
}

/** The first number whose text is not the one that is expected. */
function firstWrong(
  textOf: (bits: number) => string | undefined,
  expected: (bits: number) => string,
): { bits: number; text: string | undefined } | undefined {
  for (const bits of COMING) {
    const text = textOf(bits);
    if (text !== expected(bits)) return { bits, text };
  }
  return undefined;
}

Deno.test("decode() gives each IPv4 address its own text, however often and in whatever order it comes", () => {
  const source = (bits: number) => {
    const header = hex(
      `${SIGNATURE_HEX}2111000c${digits(bits)}c6336407000101bb`,
    );
    return decode(header)?.source?.hostname;
  };
  assertEquals(firstWrong(source, dotted), undefined);
});

for (const word of [0, 1, 2, 3]) {
  Deno.test(`decode() gives IPv6 addresses that differ in word ${word} their own texts`, () => {
    const words = ["20010db8", "00010001", "00010001", "00010001"];
    const source = (bits: number) => {
      const address = words.with(word, digits(bits)).join("");
      const header = hex(
        `${SIGNATURE_HEX}21210024${address}${"0".repeat(31)}1000101bb`,
      );
      return decode(header)?.source?.hostname;
    };
    const expected = (bits: number) => {
      const address = words.with(word, digits(bits)).join("");
      const groups = address.match(/.{4}/g)?.join(":");
      return new URL(`http://[${groups}]`).hostname.slice(1, -1);
    };
    assertEquals(firstWrong(source, expected), undefined);
  });
}

Deno.test("decode() tells a mapped address from the IPv4 address in it, with `unmap` and without", () => {
  for (const bits of COMING.slice(0, 5000)) {
    const mapped = `${"0".repeat(20)}ffff${digits(bits)}`;
    const header = hex(
      `${SIGNATURE_HEX}21210024${mapped}${mapped}000101bb`,
    );
    assertEquals(decode(header)?.source?.hostname, `::ffff:${dotted(bits)}`);
    const unmapped = decode(header, { unmap: true });
    assertEquals(unmapped?.source?.hostname, dotted(bits));
  }
});

for (const length of [1, 2, 3, 4, 5, 7, 8, 23, 43, 44, 45, 60]) {
  Deno.test(`decodeTlvs() gives each text of ${length} bytes its own`, () => {
    const textOf = (bits: number) =>
      `${digits(bits)}${"example-of-a-name.".repeat(4)}`.slice(0, length);
    const turned = (bits: number) => [...textOf(bits)].reverse().join("");
    for (const expected of [textOf, turned]) {
      const read = (bits: number) =>
        decodeTlvs(encodeTlvs({ AUTHORITY: expected(bits) })).tlvs.AUTHORITY;
      assertEquals(firstWrong(read, expected), undefined);
    }
  });
}

Deno.test("decodeTlvs() reads a text that is no UTF-8 alike each time", () => {
  const bytes = hex(tlv("02", "61ff62") + tlv("01", "61ff62"));
  for (let i = 0; i < 5; i++) {
    const { tlvs } = decodeTlvs(bytes);
    assertEquals(tlvs, { AUTHORITY: "a\udcffb", ALPN: "a\udcffb" });
  }
});

Deno.test("decodeTlvs() reads empty texts among others", () => {
  for (const text of ["", "a", "", "\0", "", "\0\0\0\0", "", "abcd", ""]) {
    for (let i = 0; i < 3; i++) {
      const { tlvs } = decodeTlvs(encodeTlvs({ ALPN: text }));
      assertEquals(tlvs.ALPN, text);
    }
  }
});
