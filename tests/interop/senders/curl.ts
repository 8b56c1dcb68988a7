/** curl: version 1, of its own connection. */

import { HAS_IPV6 } from "../../conn/_loopback.ts";
import { runClient } from "../_client.ts";
import type { Driver } from "../_driver.ts";
import { describe, HTTP, Upstream } from "../_upstream.ts";

const WRITE_OUT = "\n%{local_ip} %{local_port} %{remote_ip} %{remote_port}";

/** What becomes of a request; curl itself tells its ends. */
async function ask(hostname: string): Promise<string> {
  using upstream = new Upstream(hostname);
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const url = `http://${host}:${upstream.port}/`;
  const [accepted, output] = await Promise.all([
    upstream.next(HTTP),
    runClient("curl", [
      "--silent",
      "--haproxy-protocol",
      "--write-out",
      WRITE_OUT,
      url,
    ]),
  ]);
  const [answer, ends = ""] = output.split("\n");
  if (answer !== "ok") return `the answer is ${answer}`;
  const [ip = "", port, remoteIp = "", remotePort] = ends.split(" ");
  return describe(accepted, {
    client: { transport: "tcp", hostname: ip, port: Number(port) },
    dialled: { transport: "tcp", hostname: remoteIp, port: Number(remotePort) },
  });
}

export const curl: Driver = {
  system: "curl",
  direction: "sender",
  programs: ["curl"],
  version: ["curl", "--version"],
  isInEveryRun: true,
  async run(attempt) {
    await attempt({
      input: "v1 TCP4",
      expected: "v1 INET STREAM, client -> dialled",
      see: () => ask("127.0.0.1"),
    });
    if (!HAS_IPV6) return;
    await attempt({
      input: "v1 TCP6",
      expected: "v1 INET6 STREAM, client -> dialled",
      see: () => ask("::1"),
    });
  },
};
