/** Each request has the header of its own connection, whatever clients and strangers do. */

import { assert, assertEquals } from "@std/assert";
import { bunProgram } from "../../../_npm.ts";
import { LONGEST_RUN } from "../../../_within.ts";
import type { Verdict } from "./_identity.ts";

/** Each, in one of several ways. */
const CONNECTIONS = 6000;

/** A network of its own with so few ports that each is soon used again. */
const FEW_PORTS = "ip link set lo up && " +
  "echo 20000 20499 > /proc/sys/net/ipv4/ip_local_port_range";

/** Runs a command; what it printed. */
async function outputOf(
  [command, ...args]: readonly [string, ...string[]],
): Promise<{ success: boolean; stdout: string; stderr: string }> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd: new URL(".", import.meta.url),
    signal: AbortSignal.timeout(LONGEST_RUN),
  }).output();
  const decoder = new TextDecoder();
  return {
    success,
    stdout: decoder.decode(stdout),
    stderr: decoder.decode(stderr),
  };
}

/** A command in such a network; a user of its own may make one where it is allowed at all. */
function withFewPorts(command: string): [string, ...string[]] {
  const script = `${FEW_PORTS} && exec ${command}`;
  return ["unshare", "--map-root-user", "--net", "sh", "-c", script];
}

async function hasNamespaces(): Promise<boolean> {
  try {
    if ((await outputOf(withFewPorts("true"))).success) return true;
  } catch {
    // no such program
  }
  console.log("skipped: few ports (no network namespaces)");
  return false;
}

async function judge(command: [string, ...string[]]): Promise<void> {
  const { success, stdout, stderr } = await outputOf(command);
  assert(success, stderr);
  const { judged, wrong, aborted, clients }: Verdict = JSON.parse(stdout);
  assertEquals({ wrong, clients: clients.wrong }, { wrong: [], clients: [] });
  // Something has been tried at all.
  const { answered, forbidden } = clients;
  const least = CONNECTIONS / 10;
  assert(judged > least && answered > least, stdout);
  assert(aborted > 0 && forbidden > 0, stdout);
}

const BUN = bunProgram();
const SCRIPT = ["_identity.ts", `${CONNECTIONS}`];

Deno.test("serveHttp: no request has the header of another connection, from TCP and UNIX sockets", async () => {
  await judge([BUN, ...SCRIPT]);
  await judge([BUN, ...SCRIPT, "unix"]);
});

Deno.test({
  name: "serveHttp: nor has one if each port is used again at once",
  ignore: !await hasNamespaces(),
  // By a UNIX socket, since clients would need ports too.
  fn: () => judge(withFewPorts([BUN, ...SCRIPT, "unix"].join(" "))),
});
