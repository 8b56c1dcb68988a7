/** Nothing that is handed out is shared: whoever gets an info may do anything to its memory. */

import { assert, assertEquals, assertThrows } from "@std/assert";
import { Buffer } from "node:buffer";
import {
  bytesNeeded,
  decode,
  decodeSimpleDatagram,
  decodeTlvs,
  encode,
  encodeSimpleDatagram,
  encodeTlvs,
  ProxyProtocolError,
  readTlvs,
} from "../../codec/mod.ts";
import { inet } from "./_facts.ts";
import { BLOCK4, hex, tlv, v2 } from "./_hex.ts";
import { REFUSED } from "./_refusals.ts";
import { ACCEPTED } from "./_vectors.ts";

/** Every array of bytes that can be reached from a value. */
function arraysOf(value: unknown): Uint8Array[] {
  if (value instanceof Uint8Array) return [value];
  if (typeof value !== "object" || value === null) return [];
  const own = value instanceof Error
    ? Object.getOwnPropertyNames(value).map((name) => Reflect.get(value, name))
    : Object.values(value);
  const rest = "rest" in value ? [value.rest] : []; // an accessor
  return own.concat(rest).flatMap(arraysOf);
}

/** All that is handed out for a header, each from bytes of its own. */
function handedOut(): unknown[] {
  const results: unknown[] = [];
  for (const { bytes, options } of ACCEPTED) {
    const info = decode(bytes.slice(), options);
    assert(info !== undefined);
    const encoded = encode(info);
    results.push(info, [encoded], decode(Buffer.from(bytes), options));
    if (info.version === 2) {
      const rest = bytes.slice(info.tlv_start);
      results.push(decodeTlvs(rest, { partial: true }));
      results.push([encodeTlvs([])]);
    }
  }
  for (const { bytes, options } of REFUSED) {
    results.push(assertThrows(() => decode(bytes.slice(), options)));
  }
  results.push([...readTlvs(hex(tlv("e0") + tlv("04", "00")))]);
  const { source, destination } = inet();
  assert(source !== undefined && destination !== undefined);
  const datagram = encodeSimpleDatagram({
    source: { transport: "udp", hostname: "192.0.2.1", port: 1 },
    destination: { transport: "udp", hostname: "192.0.2.2", port: 2 },
  }, new Uint8Array());
  results.push(decodeSimpleDatagram(datagram.slice()), [datagram]);
  results.push(new ProxyProtocolError("a", "io"));
  return results;
}

Deno.test("decode() hands out no array twice", () => {
  const seen = new Map<ArrayBufferLike, unknown>();
  const arrays = new Set<Uint8Array>();
  for (const result of [...handedOut(), ...handedOut()]) {
    for (const array of arraysOf(result)) {
      assert(!arrays.has(array) || seen.get(array.buffer) === result);
      arrays.add(array);
      // Of Node's pool, which its Buffers share, nothing can be told.
      if (array.buffer.byteLength === Buffer.poolSize) continue;
      assert((seen.get(array.buffer) ?? result) === result, "shared memory");
      seen.set(array.buffer, result);
    }
  }
  assert(seen.size > 1000, `${seen.size}`);
});

Deno.test("decode() does not mind what becomes of the memory that it handed out", () => {
  const expected = handedOut();
  for (const result of handedOut()) {
    for (const array of arraysOf(result)) {
      Object.assign(array, { note: "of a user" });
      if (array.length > 0) array.fill(0xa5);
      if (array.buffer.byteLength === Buffer.poolSize) continue;
      if (array.buffer instanceof ArrayBuffer && !array.buffer.detached) {
        structuredClone(array.buffer, { transfer: [array.buffer] });
        assertEquals(array.length, 0);
      }
    }
  }
  for (const [i, result] of handedOut().entries()) {
    for (const array of arraysOf(result)) assert(!("note" in array));
    if (!(result instanceof Error)) assertEquals(result, expected[i]);
  }
});

Deno.test("decode() sends an info with all its memory to another thread, header after header", () => {
  for (let i = 0; i < 3; i++) {
    for (const body of [BLOCK4, BLOCK4 + tlv("e0", "61")]) {
      const info = decode(v2("2111", body));
      assert(info !== undefined);
      const buffers = new Set(arraysOf(info).map(({ buffer }) => buffer));
      const clone = structuredClone(info, {
        transfer: [...buffers].filter((buffer) =>
          buffer instanceof ArrayBuffer
        ),
      });
      assertEquals<unknown>(clone, { ...decode(v2("2111", body)) });
    }
  }
});

Deno.test("decode() reads each header by itself, whatever came before it", () => {
  // A longer header first: what it left behind must not be read.
  const long = v2("2121", "ff".repeat(36) + tlv("e0", "ee".repeat(300)));
  for (const { bytes, options } of ACCEPTED) {
    decode(long);
    const first = decode(bytes, options);
    for (let length = 0; length < Math.min(bytes.length, 40); length++) {
      decode(long);
      const needed = bytesNeeded(bytes.subarray(0, length), options);
      assertEquals(bytesNeeded(bytes.slice(0, length), options), needed);
    }
    decode(long);
    assertEquals(decode(bytes, options), first);
  }
});
