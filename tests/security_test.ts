/** The security policy names tests that exist, and promises that no other test holds. */

import { assert, assertEquals } from "@std/assert";
import { encode } from "../codec/mod.ts";
import { HeaderReader } from "../conn/admission/header_reader.ts";
import { readOptions } from "../conn/admission/policy.ts";
import { CLIENT } from "./conn/_peers.ts";

const ROOT = new URL("../", import.meta.url);

Deno.test("SECURITY.md names the tests of each promise by paths that exist", async () => {
  const text = await Deno.readTextFile(new URL(".github/SECURITY.md", ROOT));
  const [, promises = ""] = text.split("## Promises");
  const [listed = ""] = promises.split("\n## ");
  const paragraphs = listed.split(/\n(?=- |\*\*)/).slice(1);
  for (const promise of paragraphs) {
    if (/^\*\*[^*]*\*\*\s*$/.test(promise)) continue; // a heading
    const paths = [...promise.matchAll(/`(tests\/[^`]*)`/g)];
    assert(paths.length > 0 || promise.startsWith("- `source`"), promise);
    for (const [, path = ""] of paths) {
      const { isFile } = await Deno.stat(new URL(path, ROOT));
      assertEquals(isFile, true, path);
    }
  }
});

/** The longest header by default, and how a driver hands its bytes over one by one. */
const LONGEST = encode({ ...CLIENT, tlvs: { NETNS: "x".repeat(4065) } });
const WAYS: Readonly<
  Record<string, (reader: HeaderReader, byte: Uint8Array) => unknown>
> = {
  "is pushed": (reader, byte) => reader.push(byte),
  "is read exactly": (reader, byte) => {
    reader.room.set(byte);
    return reader.take(byte.length);
  },
};

for (const [way, add] of Object.entries(WAYS)) {
  Deno.test(`a pending header that ${way} takes at most twice maxLength`, () => {
    assertEquals(LONGEST.length, 4096);
    const reader = new HeaderReader(readOptions({ trust: "any" }));
    for (let at = 0; at < LONGEST.length; at++) {
      const header = add(reader, LONGEST.slice(at, at + 1));
      assertEquals(header !== undefined, at === LONGEST.length - 1);
      assert(reader.received.buffer.byteLength <= 2 * LONGEST.length);
    }
  });
}
