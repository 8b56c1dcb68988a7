/** Help, version, and arguments that are wrong. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { run } from "./_cli.ts";

const COMMANDS = ["decode", "encode", "listen", "relay"];

Deno.test("--help names every command, and each has its own", async () => {
  const { code, out } = await run(["--help"]);
  assertEquals(code, 0);
  for (const name of COMMANDS) {
    assertStringIncludes(out, `\n  ${name} `);
    for (const help of ["--help", "-h"]) {
      const own = await run([name, help]);
      assertEquals(own.code, 0);
      assertMatch(own.out, /\nPermissions: /);
      assertMatch(own.out, /\nExamples:\n/);
    }
  }
});

Deno.test("--help fits into a terminal of 100 columns", async () => {
  for (
    const args of [["--help"], ...COMMANDS.map((name) => [name, "--help"])]
  ) {
    for (const line of (await run(args)).out.split("\n")) {
      assertEquals(line.length <= 100, true, line);
    }
  }
});

Deno.test("--version prints that of the package", async () => {
  const { code, out } = await run(["--version"]);
  assertEquals([code, out], [0, `${manifest.version}\n`]);
});

const TO = "127.0.0.1:1";

/** Arguments, and what is wrong with them. */
const WRONG: readonly [args: string[], message: RegExp][] = [
  [[], /^Cannot run: expected one of decode, .*\nSee proxy-protocol --help$/],
  [["deocde"], /^Cannot run "deocde": expected one of decode, /],
  [["decode"], /^Cannot read input: expected HEX, --file or bytes/],
  [["decode", "zz"], /^Cannot read hex: .* received "zz"/],
  [["decode", "abc"], /^Cannot read hex: expected pairs .* received 3 digits/],
  [["decode", "--skip", "3", "0d0a"], /^Cannot skip 3 bytes: received 2\n/],
  [
    ["decode", "--hexx", "00"],
    /^Cannot read arguments: unknown option '--hexx'/,
  ],
  [["decode", "--file"], /^Cannot read arguments: option '--file <value>' /],
  [["decode", "--checksum", "no", "00"], /^Cannot read --checksum: expected/],
  [["decode", "--max-length", "0", "00"], /^Cannot read --max-length: must be/],
  [["decode", "--versions", "3", "00"], /^Cannot read --versions: expected/],
  [["decode", "--hex", "--raw", "00"], /contradict/],
  [["decode", "--file", "a", "00"], /both HEX and --file/],
  [["encode", "x"], /^Cannot read arguments: unexpected "x"/],
  [["encode", "--v1", "--v2"], /contradict/],
  [["encode", "--source", "192.0.2.1"], /^Cannot read --source: expected/],
  [["encode", "--source", "::1:443"], /IPv6 addresses in brackets/],
  [["encode", "--source", TO], /^Cannot encode destination: missing/],
  [["encode", "--source", "a:1", "--destination", TO], /source\.hostname/],
  [["encode", "--source", "192.0.2.1:65536"], /must be 0 to 65535/],
  [["encode", "--tlv", "EA=00"], /^Cannot read --tlv: expected a type/],
  [["encode", "--tlv", "xEA=0"], /^Cannot read --tlv: expected hex/],
  [["encode", "--tlv", "UNIQUE_ID=" + "00".repeat(129)], /tlvs\.UNIQUE_ID/],
  [["encode", "--ssl-verify", "-1"], /^Cannot read arguments: /],
  [["encode", "--v1", "--checksum"], /version 1 has no TLVs/],
  [["encode", "--v1", "--alpn", "h2"], /version 1 has no TLVs, no checksum/],
  [["listen"], /^Cannot listen: expected one \[HOST:\]PORT/],
  [["listen", "80", "--port", "81"], /received 2/],
  [["listen", "http"], /^Cannot read PORT: expected \[HOST:\]PORT/],
  [["listen", "0", "--trust", "10/8"], /^Cannot read trust\[0\]: /],
  [["relay"], /at least one --map/],
  [["relay", "--map", "1"], /^Cannot read --map: /],
  [["relay", "--map", `1=${TO}=2`, "--trust", "any"], /^Cannot read --map: /],
  [["relay", "--map", `1=${TO}`], /--trust is required/],
  [["relay", "--map", `1=${TO}`, "--trust", "x"], /^Cannot read trust\[0\]/],
  [
    ["relay", "--map", `1=${TO}`, "--trust", "::ffff:10.0.0.0/8"],
    /^Cannot read trust\[0\]: .*, use "10\.0\.0\.0\/8"/,
  ],
  [
    ["relay", "--map", `1=${TO}`, "--trust", "any", "--untrusted", "drect"],
    /^Cannot read --untrusted: expected reject or direct, received "drect"/,
  ],
  [
    [
      ...["relay", "--map", `1=${TO}`, "--trust", "loopback"],
      ...["--untrusted", "loopback", "--untrusted", "direct"],
    ],
    /^Cannot read untrusted\[1\]: "direct" cannot stand in a list/,
  ],
  [["relay", "--map", `1=${TO}`, "--accept", "v3"], /^Cannot read --accept/],
  [
    ["relay", "--map", `1=${TO}`, "--accept", "none", "--trust", "any"],
    /do not go with it/,
  ],
  [["relay", "--map", `1=${TO}`, "--trust", "any", "--drop", "SSL"], /--send/],
  [
    ["relay", "--map", `1=${TO}`, "--accept", "none", "--trust-file", "f"],
    /do not go with it/,
  ],
  [
    ["relay", "--map", `1=${TO}`, "--trust", "any", "--trust-file", "f"],
    /--trust-file does not go with it/,
  ],
  ...([
    ["--idle-timeout", "0"],
    ["--idle-timeout", "1.5"],
    ["--half-open-timeout", "x"],
    ["--max-connections", "0"],
    ["--workers", "0"],
    ["--log", "xml"],
    ["--health", "x"],
    ["--metrics", "1.2.3.4"],
  ].map(([option = "", value = ""]): [string[], RegExp] => [
    ["relay", "--map", `1=${TO}`, "--trust", "any", option, value],
    new RegExp(`^Cannot read ${option}: `),
  ])),
  [
    ["relay", "--map", `0=${TO}`, "--trust", "any", "--workers", "2"],
    /that of a --map must not be 0/,
  ],
  [
    [
      ...["relay", "--map", `1=${TO}`, "--trust", "any", "--send", "v2"],
      "--keep",
      "FOO",
    ],
    /^Cannot read keep: unknown TLV "FOO"/,
  ],
];

for (const [args, message] of WRONG) {
  Deno.test(`wrong arguments end with 2: ${args.join(" ").slice(0, 60)}`, async () => {
    const { code, out, err } = await run(args);
    assertEquals([code, out], [2, ""]);
    assertMatch(err.trimEnd(), message);
    assertMatch(err, /\nSee proxy-protocol.* --help\n$/);
  });
}
