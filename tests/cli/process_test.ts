/** The command line as a process: permissions, pipes, one file. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { utf8 } from "../_bytes.ts";
import { decode } from "../../codec/mod.ts";
import { captured } from "../_captures.ts";
import {
  dial,
  HEADER,
  listen,
  receive,
  receiveText,
  send,
} from "../conn/_peers.ts";
import { DENO, OLDEST, type On, start, test } from "./_cli.ts";

Deno.test("decode needs no permission for hex and for standard input", async () => {
  const { header } = captured("haproxy-v2-all");
  await using typed = start(DENO, [], ["decode", header.toHex()]);
  await using piped = start(DENO, [], ["decode"], header);
  const [first, second] = await Promise.all([typed.ended(), piped.ended()]);
  assertEquals([first.code, first.err], [0, ""]);
  assertEquals(second.out, first.out);
  assertStringIncludes(first.out, '"client.example"');
});

Deno.test("decode needs --allow-read for a file, and no other permission", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, HEADER);
    await using without = start(DENO, [], ["decode", "--file", file]);
    await using allowed = start(DENO, ["--allow-read"], [
      "decode",
      "--file",
      file,
    ]);
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
  await using plain = start(DENO, [], ["encode", "--local"]);
  await using without = start(DENO, [], ["encode", "--connect", to]);
  await using allowed = start(DENO, ["--allow-net"], [
    "encode",
    "--connect",
    to,
  ]);
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
  await using listening = start(DENO, [], ["listen", "127.0.0.1:0"]);
  await using relaying = start(DENO, [], [
    ...["relay", "--map", "127.0.0.1:0=127.0.0.1:1", "--trust", "any"],
  ]);
  for (
    const { code, err } of [await listening.ended(), await relaying.ended()]
  ) {
    assertEquals(code, 1);
    assertMatch(err, /^Cannot listen on 127\.0\.0\.1:0: .*--allow-net/);
  }
});

test("decode takes standard input and a file, encode --connect sends and prints", async (on) => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeFile(file, HEADER);
    using listener = listen();
    const to = `127.0.0.1:${listener.addr.port}`;
    await using piped = start(on, [], ["decode"], HEADER);
    await using read = start(on, ["--allow-read"], ["decode", "--file", file]);
    await using sent = start(
      on,
      ["--allow-net"],
      ["encode", "--local", "--connect", to],
      utf8("question"),
    );
    using conn = await listener.accept();
    assertStringIncludes(await receiveText(conn), "question");
    await send(conn, "answer");
    conn.close();
    assertEquals((await sent.ended()).out, "answer");
    const { code, out, err } = await piped.ended();
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, "192.0.2.1");
    assertEquals((await read.ended()).out, out);
  } finally {
    await Deno.remove(file);
  }
});

test("decode says which file is not there, encode --connect that nobody listens", async (on) => {
  await using read = start(on, ["--allow-read"], ["decode", "--file", "/no/x"]);
  await using sent = start(
    on,
    ["--allow-net"],
    ["encode", "--connect", "127.0.0.1:1"],
  );
  const outcomes = [await read.ended(), await sent.ended()];
  assertEquals(outcomes.map(({ code }) => code), [1, 1]);
  assertEquals(
    outcomes.map(({ err }) => err.replace(/ \(os error \d+\)/, "")),
    [
      "Cannot read /no/x: No such file or directory\n",
      "Cannot send to 127.0.0.1:1: Connection refused\n",
    ],
  );
});

Deno.test("the oldest Node runs every command", async () => {
  using service = listen();
  await using shown = start(OLDEST, [], ["decode"], HEADER);
  assertStringIncludes((await shown.ended()).out, "192.0.2.1");
  await using made = start(OLDEST, [], ["encode", "--local"]);
  assertEquals((await made.ended()).code, 0);
  await using relaying = start(OLDEST, [], [
    ...["relay", "--trust", "loopback", "--send", "v2"],
    ...["--map", `127.0.0.1:0=127.0.0.1:${service.addr.port}`],
  ]);
  const [, port] = await relaying.err(/Relaying 127\.0\.0\.1:(\d+) /);
  await using sent = start(OLDEST, [], [
    ...["encode", "--connect", `127.0.0.1:${port}`, "--local"],
  ]);
  using conn = await service.accept();
  await receive(conn);
  conn.close();
  await sent.ended();
  await using listening = start(OLDEST, [], [
    ...["listen", "127.0.0.1:0", "--count", "1"],
  ]);
  const [, at] = await listening.err(/Listening on 127\.0\.0\.1:(\d+)\n/);
  using client = await dial({
    addr: { transport: "tcp", hostname: "127.0.0.1", port: Number(at) },
  }, HEADER);
  assertMatch((await listening.ended()).out, / v2 PROXY /);
  assertEquals(client.remoteAddr.port, Number(at));
});

/** Runs a line of the shell; `$CLI` is the command line. */
async function shell(on: On, line: string): Promise<[string, string]> {
  const { stdout, stderr } = await new Deno.Command("bash", {
    args: ["-c", line],
    env: {
      NO_COLOR: "1",
      CLI: on.command(["--allow-net"]).join(" "),
    },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return [decoder.decode(stdout), decoder.decode(stderr)];
}

test("a reader that has had enough is no failure", async (on) => {
  const { header } = captured("haproxy-v2-all");
  const [out, err] = await shell(
    on,
    `$CLI decode ${header.toHex()} | true; echo "\${PIPESTATUS[0]}"`,
  );
  assertEquals([out, err], ["0\n", ""]);
});

test("listen ends when nobody reads its lines any more", async (on) => {
  const [, err] = await shell(
    on,
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
