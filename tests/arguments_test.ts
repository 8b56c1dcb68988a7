/** Runners that are given wrong arguments. */

import { assertEquals, assertMatch } from "@std/assert";
import { LONGEST_RUN } from "./_within.ts";

const IMPORT_MAP = new URL("std/map.json", import.meta.url).pathname;

/** Arguments of a runner, and what it says of them. */
const WRONG: [runner: string, args: string[], message: RegExp][] = [
  ["interop", ["--al"], /--al/],
  ["interop", ["haproxy"], /haproxy/],
  ["interop", ["--all=yes"], /--all/],
  ["fuzz", ["--second", "1"], /--second/],
  [
    "fuzz",
    ["--seconds", "soon"],
    /^Cannot read --seconds: .* received "soon"$/,
  ],
  ["fuzz", ["--inputs", "1.5"], /^Cannot read --inputs: .* received "1.5"$/],
  ["fuzz", ["1"], /1/],
];

Deno.test("a runner says in a line what is wrong with its arguments, and does nothing", async () => {
  await Promise.all(WRONG.map(async ([runner, args, message]) => {
    const script = new URL(`proof/${runner}/run.ts`, import.meta.url).pathname;
    // Where it can write nothing and start nothing.
    const options = [
      ...["--quiet", "--no-prompt", `--import-map=${IMPORT_MAP}`],
      ...["--allow-read", "--allow-env", "--allow-sys"],
    ];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", ...options, script, ...args],
      env: { NO_COLOR: "1" },
      signal: AbortSignal.timeout(LONGEST_RUN),
    }).output();
    const decoder = new TextDecoder();
    const [line = "", ...more] = decoder.decode(stderr).trimEnd().split("\n");
    assertEquals([code, more, stdout.length], [2, [], 0], line);
    assertMatch(line, message);
  }));
});
