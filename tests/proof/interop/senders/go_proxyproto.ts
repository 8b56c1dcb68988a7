/** go-proxyproto: all families of both versions, and TLVs. */

import { runClient } from "../_client.ts";
import type { AcceptOptions } from "../../../../mod.ts";
import type { Driver } from "../_driver.ts";
import { describe, ECHO, Upstream } from "../_upstream.ts";

/** Where Debian keeps the sources of packages for Go. */
const GOPATH = "/usr/share/gocode";

const SOURCE = new URL("goproxyproto.go", import.meta.url).pathname;

const INET = "192.0.2.1:1111 -> 198.51.100.1:443";
const INET6 = "[2001:db8::1]:1111 -> [2001:db8::2]:443";
const MIXED = "[2001:db8::1]:1111 -> 198.51.100.1:443";
const MAPPED = "[2001:db8::1]:1111 -> [::ffff:198.51.100.1]:443";

const CASES: readonly {
  kind: string;
  input: string;
  expected: string;
  note?: string;
  options?: Partial<AcceptOptions>;
}[] = [
  {
    kind: "v1-tcp4",
    input: "v1 TCP4",
    expected: `v1 INET STREAM, ${INET}`,
  },
  {
    kind: "v1-tcp6",
    input: "v1 TCP6",
    expected: `v1 INET6 STREAM, ${INET6}`,
  },
  {
    kind: "v1-mixed",
    input: "v1 of mixed families",
    expected: "refused: address",
    note:
      "mixed families in a TCP6 line, which the specification forbids (`mixedTcp6` accepts them)",
  },
  {
    kind: "v1-mixed",
    input: "v1 of mixed families, `mixedTcp6` on",
    expected: `v1 INET6 STREAM, ${MIXED}`,
    options: { mixedTcp6: true },
  },
  {
    kind: "v1-none",
    input: "v1 without addresses",
    expected: "v1 UNKNOWN, shows the hop",
  },
  {
    kind: "v2-tcp4",
    input: "v2 TCP4",
    expected: `v2 INET STREAM, ${INET}`,
  },
  {
    kind: "v2-tcp6",
    input: "v2 TCP6",
    expected: `v2 INET6 STREAM, ${INET6}`,
  },
  {
    kind: "v2-mixed",
    input: "v2 of mixed families",
    expected: `v2 INET6 STREAM, ${MAPPED}`,
  },
  {
    kind: "v2-udp4",
    input: "v2 UDP4, over TCP",
    expected: `v2 INET DGRAM, ${INET}`,
    note: "accepts a UDP family over TCP",
  },
  {
    kind: "v2-unix",
    input: "v2 UNIX",
    expected: "v2 UNIX STREAM, unix:/run/a.sock -> unix:/run/b.sock",
  },
  {
    kind: "v2-none",
    input: "v2 without addresses",
    expected: "v2 LOCAL, shows the hop",
  },
  {
    kind: "v2-tlvs",
    input: "v2 TCP4 with TLVs",
    expected: `v2 INET STREAM, ${INET}, AUTHORITY=sni.example xE0=custom`,
  },
];

/** Compiles the sender. */
async function build(directory: string): Promise<string> {
  const program = `${directory}/sender`;
  const { success, stderr } = await new Deno.Command("go", {
    args: ["build", "-o", program, SOURCE],
    env: { GO111MODULE: "off", GOPATH, GOFLAGS: "" },
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return program;
}

export const goProxyproto: Driver = {
  system: "go-proxyproto",
  direction: "sender",
  programs: ["go"],
  version: [
    "dpkg-query",
    "--show",
    "golang-github-pires-go-proxyproto-dev",
  ],
  isInEveryRun: false,
  async run(attempt) {
    const directory = await Deno.makeTempDir();
    await using _directory = {
      [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
    };
    const program = await build(directory);
    using upstream = new Upstream();
    for (const { kind, options, ...one } of CASES) {
      await attempt({
        ...one,
        see: async () => {
          const asking = runClient(program, [String(upstream.port), kind]);
          const accepting = upstream.next(ECHO, options);
          const [answer, accepted] = await Promise.allSettled([
            asking,
            accepting,
          ]);
          if (accepted.status === "rejected") throw accepted.reason;
          if (answer.status === "rejected") throw answer.reason;
          return answer.value === "hello"
            ? describe(accepted.value)
            : `the answer is ${answer.value}`;
        },
      });
    }
  },
};
