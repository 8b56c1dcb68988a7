/** A file of ranges that changes while they are in force. */

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { TrustFile } from "../../conn/cli/trust_file.ts";

const HOP = { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const;

async function withFile(
  text: string,
  test: (path: string) => Promise<void>,
): Promise<void> {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, text);
    await test(path);
  } finally {
    await Deno.remove(path).catch(() => {});
  }
}

Deno.test("TrustFile uses a change when two looks have found the same text", async () => {
  await withFile("10.0.0.0/8\n", async (path) => {
    const file = await TrustFile.open(path);
    assertEquals([await file.look(), file.trusts(HOP)], [undefined, false]);
    await Deno.writeTextFile(path, "127.0.0.1");
    assertEquals([await file.look(), file.trusts(HOP)], [undefined, false]);
    await Deno.writeTextFile(path, "127.0.0.10\n"); // the rest has been written
    assertEquals([await file.look(), file.trusts(HOP)], [undefined, false]);
    assertEquals(await file.look(), `Reloaded ${path}, which lists 1`);
    assertEquals([await file.look(), file.trusts(HOP)], [undefined, false]);
    assertEquals(file.trusts({ ...HOP, hostname: "127.0.0.10" }), true);
  });
});

Deno.test("TrustFile keeps the former list while the file is wrong or missing, and says so once", async () => {
  await withFile("127.0.0.0/8\n", async (path) => {
    const file = await TrustFile.open(path);
    await Deno.writeTextFile(path, "127.0.0.0/8\nany\n");
    assertEquals(await file.look(), undefined);
    assertMatch(
      await file.look() ?? "",
      /^Cannot reload \S+, the former list stays in force: line 2: .*"any"/,
    );
    assertEquals([await file.look(), file.trusts(HOP)], [undefined, true]);
    await Deno.remove(path);
    assertMatch(
      await file.look() ?? "",
      /^Cannot reload \S+, .*: No such file or directory/,
    );
    assertEquals([await file.look(), file.trusts(HOP)], [undefined, true]);
    assertMatch(await file.reload(), /^Cannot reload /);
    await Deno.writeTextFile(path, "# nobody\n");
    assertEquals(await file.reload(), `Reloaded ${path}, which lists 0`);
    assertEquals(file.trusts(HOP), false);
  });
});

Deno.test("TrustFile.open() rejects a file with an entry that is none", async () => {
  await withFile("10.0.0.0/8 # ours\n\n10.0.0.1/8\n", async (path) => {
    await assertRejects(
      () => TrustFile.open(path),
      TypeError,
      "line 3: ",
    );
  });
});
