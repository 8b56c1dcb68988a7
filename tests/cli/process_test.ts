/** The command line as a process: permissions, pipes, one file. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decode } from "../../codec/mod.ts";
import { captured } from "../_captures.ts";
import { HEADER, listen, receive } from "../conn/_peers.ts";
import { start } from "./_cli.ts";

Deno.test("decode needs no permission for hex and for standard input", async () => {
  const { header } = captured("haproxy-v2-all");
  await using typed = start([], ["decode", header.toHex()]);
  await using piped = start([], ["decode"], header);
  const [first, second] = await Promise.all([typed.ended(), piped.ended()]);
  assertEquals([first.code, first.err], [0, ""]);
  assertEquals(second.out, first.out);
  assertStringIncludes(first.out, '"client.example"');
});

Deno.test("decode needs --allow-read for a file, and no other permission", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, HEADER);
    await using without = start([], ["decode", "--file", file]);
    await using allowed = start(["--allow-read"], ["decode", "--file", file]);
    const [refused, read] = await Promise.all([
      without.ended(),
      allowed.ended(),
    ]);
    assertEquals(refused.code, 1);
    assertMatch(
      refused.err,
      /^Cannot read \S+: Requires read access .*--allow-read/,
    );
    assertEquals(read.code, 0);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("encode needs no permission, --connect needs --allow-net", async () => {
  using listener = listen();
  const to = `127.0.0.1:${listener.addr.port}`;
  await using plain = start([], ["encode", "--local"]);
  await using without = start([], ["encode", "--connect", to]);
  await using allowed = start(["--allow-net"], ["encode", "--connect", to]);
  using conn = await listener.accept();
  assertEquals(decode(await receive(conn))?.command, "LOCAL");
  conn.close();
  assertEquals((await allowed.ended()).code, 0);
  assertEquals((await plain.ended()).code, 0);
  const { code, err } = await without.ended();
  assertEquals(code, 1);
  assertMatch(err, /^Cannot send to .*--allow-net/);
});

Deno.test("listen and relay say which permission they lack", async () => {
  await using listening = start([], ["listen", "127.0.0.1:0"]);
  await using relaying = start([], [
    ...["relay", "--map", "127.0.0.1:0=127.0.0.1:1", "--trust", "any"],
  ]);
  for (
    const { code, err } of [await listening.ended(), await relaying.ended()]
  ) {
    assertEquals(code, 1);
    assertMatch(err, /^Cannot listen on 127\.0\.0\.1:0: .*--allow-net/);
  }
});

/** Runs a line of the shell; `$CLI` is the command line. */
async function shell(line: string): Promise<[string, string]> {
  const cli = new URL("../../conn/cli.ts", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", line],
    env: {
      NO_COLOR: "1",
      CLI: `${Deno.execPath()} run --quiet --no-prompt --allow-net ${cli}`,
    },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return [decoder.decode(stdout), decoder.decode(stderr)];
}

Deno.test("a reader that has had enough is no failure", async () => {
  const { header } = captured("haproxy-v2-all");
  const [out, err] = await shell(
    `$CLI decode ${header.toHex()} | true; echo "\${PIPESTATUS[0]}"`,
  );
  assertEquals([out, err], ["0\n", ""]);
});

Deno.test("listen ends when nobody reads its lines any more", async () => {
  const [, err] = await shell(
    `$CLI listen 127.0.0.1:0 2> >(
       read -r line; port=\${line##*:}
       for i in 1 2 3; do { echo PROXY > /dev/tcp/127.0.0.1/$port; } 2>/dev/null; done
       cat >&2
     ) | true`,
  );
  assertEquals(err, "");
});

Deno.test("deno compile makes one file of it", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const program = `${directory}/proxy-protocol`;
    const cli = new URL("../../conn/cli.ts", import.meta.url).pathname;
    const compiled = await new Deno.Command(Deno.execPath(), {
      args: ["compile", "--quiet", "--allow-net", "--output", program, cli],
      env: { NO_COLOR: "1" },
    }).output();
    const said = new TextDecoder().decode(compiled.stderr);
    if (said.includes("denort") && said.includes("error sending request")) {
      // What Deno puts the program into is not in the package of npm.
      console.log("skipped: dl.deno.land, where denort is, cannot be reached");
      return;
    }
    assertEquals([compiled.code, said], [0, ""]);
    const { stdout } = await new Deno.Command(program, {
      args: ["decode", HEADER.toHex()],
    }).output();
    assertStringIncludes(new TextDecoder().decode(stdout), "192.0.2.1");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
