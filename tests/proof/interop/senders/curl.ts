/** curl: version 1, of its own connection, before TLS as well. */

import { once } from "node:events";
import { createServer } from "node:https";
import type { ProxyInfo } from "../../../../mod.ts";
import { proxied, proxyInfo } from "../../../../conn/node.ts";
import { CERT, HAS_IPV6, KEY, TRUST } from "../../../conn/_loopback.ts";
import { runClient } from "../_client.ts";
import type { Driver } from "../_driver.ts";
import {
  describe,
  describeHeader,
  type Ends,
  HTTP,
  Upstream,
} from "../_upstream.ts";

const WRITE_OUT = "\n%{local_ip} %{local_port} %{remote_ip} %{remote_port}";

/** Sends a request; curl itself tells its ends. */
async function request(url: string): Promise<{ answer: string; ends: Ends }> {
  const output = await runClient("curl", [
    ...["--silent", "--insecure", "--max-time", "5"],
    ...["--haproxy-protocol", "--write-out", WRITE_OUT],
    url,
  ]);
  const [answer = "", ends = ""] = output.split("\n");
  const [ip = "", port, remoteIp = "", remotePort] = ends.split(" ");
  return {
    answer,
    ends: {
      client: { transport: "tcp", hostname: ip, port: Number(port) },
      dialled: {
        transport: "tcp",
        hostname: remoteIp,
        port: Number(remotePort),
      },
    },
  };
}

/** What becomes of a request. */
async function ask(hostname: string): Promise<string> {
  using upstream = new Upstream(hostname);
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  const [accepted, { answer, ends }] = await Promise.all([
    upstream.next(HTTP),
    request(`http://${host}:${upstream.port}/`),
  ]);
  return answer === "ok" ? describe(accepted, ends) : `the answer is ${answer}`;
}

/** What becomes of a request over TLS. */
async function askOverTls(): Promise<string> {
  const seen = Promise.withResolvers<ProxyInfo | undefined>();
  const server = createServer({ cert: CERT, key: KEY }, (request, response) => {
    seen.resolve(proxyInfo(request));
    response.end("ok");
  });
  proxied(server, { trust: TRUST }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { answer, ends } = await request(`https://127.0.0.1:${port}/`);
    if (answer !== "ok") return `the answer is ${answer}`;
    const info = await seen.promise;
    return info === undefined ? "no header" : describeHeader(info, ends);
  } finally {
    server.close();
    await once(server, "close");
  }
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
    await attempt({
      input: "v1 TCP4 before TLS",
      target: "our server of HTTPS",
      expected: "v1 INET STREAM, client -> dialled",
      see: askOverTls,
    });
    if (!HAS_IPV6) return;
    await attempt({
      input: "v1 TCP6",
      expected: "v1 INET6 STREAM, client -> dialled",
      see: () => ask("::1"),
    });
  },
};
