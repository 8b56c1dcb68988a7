/** What a header costs whoever looks at it: no more than in proportion to its length. */

import { assert } from "@std/assert";
import { decode, ProxyProtocolError } from "../../codec/mod.ts";
import { describe, examine, outcomeJson } from "../../conn/cli/report.ts";
import { jsonLine, line, type Seen, verbose } from "../../conn/cli/seen.ts";
import { LABORIOUS, tcp4 } from "../codec/_laborious.ts";
import { countViewed, countWork } from "./_work.ts";

const OPTIONS = { maxLength: 65551, checksum: "ignore" } as const;

/** Bodies of the codec's tests, and one value that is longer than all others. */
const HEADERS: typeof LABORIOUS = [
  ...LABORIOUS,
  ["a long name among empty TLVs", (size) => {
    const half = size / 2;
    const name = "02" + half.toString(16).padStart(4, "0") + "61".repeat(half);
    return tcp4(name + "e00000".repeat(Math.floor(half / 3)));
  }],
];

const WHEN = { time: "2026-01-01T00:00:00.000Z", hop: "192.0.2.1:1" };

/** What `listen` prints. */
const SHOWN: Readonly<Record<string, (seen: Seen) => string>> = {
  "listen": line,
  "listen --verbose": verbose,
  "listen --json": jsonLine,
};

/** How much more work four times the bytes may make: between 4 and 16. */
const MOST = 5;

for (const [name, headerOf] of HEADERS) {
  const sizes = [0x1800, 0x6000].map(headerOf);

  for (const [command, show] of Object.entries(SHOWN)) {
    Deno.test(`${command} does work in proportion to ${name}`, () => {
      assertLinear(sizes.map((bytes) => {
        const info = decode(bytes, OPTIONS);
        assert(info !== undefined);
        let text = "";
        const work = countWork(() => {
          text = show({ ...WHEN, info });
        });
        assert(text.includes("192.0.2.1"));
        return work;
      }));
    });
  }

  Deno.test(`decode does work in proportion to ${name}`, () => {
    for (const show of [describe, outcomeJson]) {
      assertLinear(sizes.map((bytes) =>
        countWork(() => {
          show(bytes, examine(bytes, OPTIONS), OPTIONS);
        })
      ));
    }
  });

  Deno.test(`decode does work in proportion to ${name} of which the end is wrong or missing`, () => {
    for (const length of [-1, 0]) {
      assertLinear(sizes.map((whole) => {
        const bytes = whole.slice(0, whole.length + length);
        bytes.fill(0xff, -2);
        return countWork(() => {
          describe(bytes, examine(bytes, OPTIONS), OPTIONS);
        });
      }));
    }
  });

  Deno.test(`listen does work in proportion to ${name} that is refused`, () => {
    assertLinear(sizes.map((bytes) => {
      const error = new ProxyProtocolError("refused", "tlv", {
        offset: bytes.length - 1,
        received: bytes,
      });
      return countWork(() => {
        verbose({ ...WHEN, error });
      });
    }));
  });
}

function assertLinear([small, large]: readonly number[]): void {
  assert(small !== undefined && large !== undefined && small > 0);
  assert(large <= MOST * small, `work of ${small}, then ${large}`);
}

Deno.test("a header is read for its checksum once for each time it is shown", () => {
  const bytes = tcp4("03000400000000".repeat(3000));
  for (const [command, show] of Object.entries(SHOWN)) {
    const info = decode(bytes, OPTIONS);
    assert(info !== undefined);
    const viewed = countViewed(() => void show({ ...WHEN, info }));
    assert(viewed >= bytes.length);
    assert(
      // The walks over TLVs count as well; each checksum would be 3000 times.
      viewed < 5 * bytes.length,
      `${command}: ${viewed} bytes read of ${bytes.length}`,
    );
  }
});
