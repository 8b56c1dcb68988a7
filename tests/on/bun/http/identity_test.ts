/** Each request has the header of its own connection, whatever clients and strangers do. */

import { assert, assertEquals } from "@std/assert";
import { bunProgram } from "../../../_npm.ts";
import { LONGEST_RUN } from "../../../_within.ts";
import { buildFewPorts } from "../../_few_ports.ts";
import type { Verdict } from "./_identity.ts";

/** Each, in one of several ways. */
const CONNECTIONS = 4000;

/** So few that each is soon used again, and enough for most connections. */
const FEW = { PORTS: "500" };

/** Lets the clients and strangers of `_identity.ts` come, by TCP or a UNIX socket. */
async function judge(
  carrier: "tcp" | "unix",
  env: Record<string, string> = {},
): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(bunProgram(), {
    args: ["_identity.ts", `${CONNECTIONS}`, carrier],
    cwd: new URL(".", import.meta.url),
    env,
    signal: AbortSignal.timeout(LONGEST_RUN),
  }).output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stderr));
  const text = decoder.decode(stdout);
  const { judged, wrong, aborted, clients }: Verdict = JSON.parse(text);
  assertEquals({ wrong, clients: clients.wrong }, { wrong: [], clients: [] });
  // Something has been tried at all.
  const { answered, forbidden } = clients;
  const least = CONNECTIONS / 10;
  assert(judged > least && answered > least, text);
  assert(aborted > 0 && forbidden > 0, text);
}

Deno.test("serveHttp: no request has the header of another connection, from TCP and UNIX sockets", async () => {
  await judge("tcp");
  await judge("unix");
});

Deno.test("serveHttp: nor has one if each port is used again at once", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const library = await buildFewPorts(folder);
    // By a UNIX socket, since clients would need ports as well.
    if (library) await judge("unix", { ...FEW, LD_PRELOAD: library });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
