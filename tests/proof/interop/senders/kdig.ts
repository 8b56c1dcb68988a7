/** kdig: version 2 over UDP and TCP, with any addresses. */

import { runClient } from "../_client.ts";
import { DatagramUpstream } from "../_datagrams.ts";
import { ANSWER, answer, DNS } from "../_dns.ts";
import type { Driver } from "../_driver.ts";
import { describe, describeHeader, Upstream } from "../_upstream.ts";

const INET = "192.0.2.1#1111-198.51.100.1#53";
const INET6 = "2001:db8::1#1111-2001:db8::2#53";

const SAYS_INET = "192.0.2.1:1111 -> 198.51.100.1:53";
const SAYS_INET6 = "[2001:db8::1]:1111 -> [2001:db8::2]:53";

async function ask(port: number, ...options: string[]): Promise<string> {
  const output = await runClient("kdig", [
    ...options,
    "+short",
    "@127.0.0.1",
    "-p",
    String(port),
    "who.",
  ]);
  return output.trim();
}

export const kdig: Driver = {
  system: "kdig",
  direction: "sender",
  programs: ["kdig"],
  version: ["kdig", "--version"],
  isInEveryRun: true,
  async run(attempt) {
    using upstream = new Upstream();
    using datagrams = await DatagramUpstream.open();

    async function overTcp(addresses: string): Promise<string> {
      const [accepted, said] = await Promise.all([
        upstream.next(DNS),
        ask(upstream.port, "+tcp", `+proxy=${addresses}`),
      ]);
      return said === ANSWER ? describe(accepted) : `the answer is ${said}`;
    }

    async function overUdp(addresses: string): Promise<string> {
      const arriving = datagrams.next();
      const saying = ask(datagrams.port, `+proxy=${addresses}`);
      const { info, payload, reply } = await arriving;
      reply(answer(payload));
      const said = await saying;
      return said === ANSWER ? describeHeader(info) : `the answer is ${said}`;
    }

    await attempt({
      input: "v2 TCP4",
      expected: `v2 INET STREAM, ${SAYS_INET}`,
      see: () => overTcp(INET),
    });
    await attempt({
      input: "v2 TCP6",
      expected: `v2 INET6 STREAM, ${SAYS_INET6}`,
      see: () => overTcp(INET6),
    });
    await attempt({
      input: "v2 UDP4",
      target: "decodeDatagram()",
      expected: `v2 INET DGRAM, ${SAYS_INET}`,
      see: () => overUdp(INET),
    });
    await attempt({
      input: "v2 UDP6",
      target: "decodeDatagram()",
      expected: `v2 INET6 DGRAM, ${SAYS_INET6}`,
      see: () => overUdp(INET6),
    });
  },
};
