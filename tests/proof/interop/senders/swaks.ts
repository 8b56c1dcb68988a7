/** swaks: both versions, with any addresses. */

import { utf8 } from "../../../_bytes.ts";
import { runClient } from "../_client.ts";
import type { Driver } from "../_driver.ts";
import { describe, type Exchange, Upstream } from "../_upstream.ts";

const SMTP: Exchange = {
  greeting: utf8("220 ready\r\n"),
  isWhole: (request) => request.includes("QUIT\r\n"),
  answer: () => utf8("221 bye\r\n"),
};

const SAYS_INET = "192.0.2.1:1111 -> 198.51.100.1:25";
const SAYS_INET6 = "[2001:db8::1]:1111 -> [2001:db8::2]:25";

/** What becomes of a greeting. */
async function ask(
  version: number,
  family: string,
  ...[source, destination]: string[]
): Promise<string> {
  using upstream = new Upstream();
  const [accepted, output] = await Promise.all([
    upstream.next(SMTP),
    runClient("swaks", [
      ...["--server", "127.0.0.1", "--port", String(upstream.port)],
      ...["--to", "a@example.com", "--quit-after", "BANNER"],
      ...["--proxy-version", String(version), "--proxy-family", family],
      ...["--proxy-source", source ?? "", "--proxy-source-port", "1111"],
      ...["--proxy-dest", destination ?? "", "--proxy-dest-port", "25"],
      ...["--proxy-protocol", "STREAM", "--proxy-command", "PROXY"]
        .slice(version === 1 ? 4 : 0),
    ]),
  ]);
  return output.includes("221 bye")
    ? describe(accepted)
    : `the dialogue is ${output}`;
}

const INET = ["192.0.2.1", "198.51.100.1"];
const INET6 = ["2001:db8::1", "2001:db8::2"];

export const swaks: Driver = {
  system: "swaks",
  direction: "sender",
  programs: ["swaks"],
  version: ["swaks", "--version"],
  isInEveryRun: true,
  async run(attempt) {
    await attempt({
      input: "v1 TCP4",
      expected: `v1 INET STREAM, ${SAYS_INET}`,
      see: () => ask(1, "TCP4", ...INET),
    });
    await attempt({
      input: "v1 TCP6",
      expected: `v1 INET6 STREAM, ${SAYS_INET6}`,
      see: () => ask(1, "TCP6", ...INET6),
    });
    await attempt({
      input: "v2 TCP4",
      expected: `v2 INET STREAM, ${SAYS_INET}`,
      see: () => ask(2, "AF_INET", ...INET),
    });
    await attempt({
      input: "v2 TCP6",
      expected: `v2 INET6 STREAM, ${SAYS_INET6}`,
      see: () => ask(2, "AF_INET6", ...INET6),
    });
  },
};
