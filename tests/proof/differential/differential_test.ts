/**
 * A second opinion: the same inputs for decode() and for implementations that
 * others wrote. `INPUTS` and `SEED` take more of them, and others.
 */

import { assert, assertEquals } from "@std/assert";
import { watch } from "../fuzz/_watch.ts";
import { isMissing } from "../interop/_system.ts";
import { PYTHON, run } from "../interop/receivers/_programs.ts";
import { aiosmtpd } from "./_aiosmtpd.ts";
import { classesOfRules, compare, type Peer, tableOf } from "./_compare.ts";
import { GO_SOURCES, GOPATH, goProxyproto } from "./_go_proxyproto.ts";

const INPUTS = Number(Deno.env.get("INPUTS") ?? 100_000);
const SEED = Number(Deno.env.get("SEED") ?? 20260427);

async function check(peer: Peer): Promise<void> {
  using _watching = watch();
  const classes = await compare(peer, SEED, INPUTS);
  console.log(`${INPUTS} inputs beside ${peer.name}\n${tableOf(classes)}`);
  const alike = classes.get("both accept, facts alike") ?? 0;
  assert(alike > INPUTS / 10, `${alike} accepted by both`);
  // What explains nothing has no place in the table.
  const unused = classesOfRules(peer).filter((name) => !classes.has(name));
  assertEquals(unused, []);
}

Deno.test({
  name: "decode() differs from aiosmtpd only for the reasons in the table",
  ignore: isMissing(PYTHON, "aiosmtpd"),
  fn: () => check(aiosmtpd),
});

Deno.test({
  name: "decode() differs from go-proxyproto only for the reasons in the table",
  ignore: isMissing("go", `${GO_SOURCES}/protocol.go`),
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      const program = `${directory}/go_proxyproto`;
      const source = new URL("go_proxyproto.go", import.meta.url).pathname;
      await run("go", ["build", "-o", program, source], {
        GO111MODULE: "off",
        GOPATH,
        GOCACHE: `${directory}/cache`,
      });
      await check(goProxyproto(program));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
