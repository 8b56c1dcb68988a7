/**
 * Names that every object has, where users and peers name things: an option, a
 * value, a TLV, a range. None may be found by accident, and none may change
 * what other objects have.
 */

import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  accept,
  type AcceptOptions,
  decode,
  encode,
  encodeTlvs,
  relay,
  type RelayOptions,
  tlvType,
} from "../../mod.ts";
import { readOptions } from "../../conn/admission/policy.ts";
import type { ListenerOptions } from "../../conn/types.ts";
import { readTrust } from "../../conn/admission/trust.ts";
import { V2 } from "../on/_headers.ts";
import { CLIENT } from "./_peers.ts";
import { tcpPair, TRUST } from "./_loopback.ts";

const NAMES = [
  ...Object.getOwnPropertyNames(Object.prototype),
  ...["prototype", "length", "name", "caller", "arguments", "then"],
];

/** An object whose only own name this is, also if that is `__proto__`. */
function named(name: string, value: unknown): Record<string, never> {
  return JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`);
}

/** As code without types may have it. */
function untyped<T>(value: unknown): T {
  return value as T;
}

/** Fails if a call has put something on all objects. */
function assertClean(): void {
  const fresh: Record<string, unknown> = {};
  for (const name in fresh) assert(false, `${name} is on all objects`);
  assertEquals(Reflect.get(fresh, "polluted"), undefined);
}

for (const name of NAMES) {
  const value = { polluted: true, trust: "any", checksum: "ignore" };

  Deno.test(`an option is not ${name}, nor is its value`, async () => {
    const own = named(name, value);
    const isOfAll = Object.hasOwn(Object.prototype, name);
    for (
      const read of [
        () => void decode(V2.bytes, own),
        () => void encode(CLIENT, own),
        () => void readOptions({ ...own, trust: [] }),
        () => void readOptions(Object.assign(own, { trust: [] })),
      ]
    ) {
      // A program may have put such a name on all objects: it says nothing then.
      if (isOfAll) read();
      else assertThrows(read, TypeError, name);
    }
    for (
      const options of [
        { untrusted: name },
        { header: name },
        { lazy: name },
        { versions: [name] },
        { checksum: name },
        { tlvs: name },
        { maxLength: name },
        { timeout: name },
      ]
    ) {
      assertThrows(
        () =>
          readOptions(
            untyped<ListenerOptions<unknown>>({ trust: [], ...options }),
          ),
        Error,
        Object.keys(options)[0],
      );
    }
    using pair = await tcpPair();
    await assertRejects(
      () =>
        accept(
          pair.server,
          untyped<AcceptOptions>({ trust: TRUST, header: name }),
        ),
      TypeError,
      "header",
    );
    assertClean();
  });

  Deno.test(`a trust list has no entry ${name}`, () => {
    for (const list of [[name], ["10.0.0.1", name], [`${name}/8`]]) {
      assertThrows(() => readTrust(list), TypeError, "Cannot read trust");
    }
    assertThrows(() => readTrust(untyped(name)), TypeError);
    for (const trust of [readTrust([]), readTrust(["10.0.0.0/8", "unix"])]) {
      assertEquals(
        trust({ transport: "tcp", hostname: name, port: 1 }),
        false,
      );
    }
  });

  Deno.test(`a header has no field or TLV ${name}`, () => {
    assertEquals(tlvType(name), undefined);
    for (const content of ["text", 1, true, null, ["x"], value]) {
      const tlvs = named(name, content);
      assertThrows(() => encodeTlvs(tlvs), TypeError);
      assertThrows(() => encode({ ...CLIENT, tlvs }), TypeError);
    }
    for (
      const header of [
        { command: name },
        { ...CLIENT, source: { ...CLIENT.source, transport: name } },
        { ...CLIENT, source: { ...CLIENT.source, hostname: name } },
      ]
    ) assertThrows(() => encode(untyped(header)), TypeError);
    const header = { ...CLIENT, version: name };
    assertThrows(() => encode(untyped(header)), RangeError, "version");
    assertClean();
  });

  Deno.test(`relay() knows no TLV ${name} to keep, drop or add`, async () => {
    for (
      const options of [
        { keep: [name] },
        { drop: [name] },
        { add: named(name, "text") },
        { append: named(name, "text") },
        { ifAbsent: named(name, "text") },
      ]
    ) {
      using pair = await tcpPair();
      using target = await tcpPair();
      const { conn } = await accept(pair.server, {
        trust: [],
        untrusted: "direct",
      });
      await assertRejects(
        () =>
          relay(
            conn,
            target.client,
            untyped<RelayOptions>({ send: 2, ...options }),
          ),
        TypeError,
      );
    }
    assertClean();
  });
}

Deno.test("decode() gives TLVs without a name that the record already has", () => {
  const info = decode(V2.bytes);
  assert(info);
  for (const record of [info.tlvs, info.tlv_loc]) {
    for (const name of NAMES) {
      assertEquals(Object.hasOwn(record, name), false, name);
    }
  }
});
