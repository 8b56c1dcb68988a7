/** @module */

import { NO_UNKNOWN, REAL_UDP, REAL_UNIX } from "./_differences.ts";
import { versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

const CONFIGURATION = `
vcl 4.1;
import proxy;
import std;
backend default none;
sub vcl_recv {
  return (synth(200));
}
sub vcl_synth {
  set resp.http.Content-Type = "text/plain";
  synthetic("src=" + client.ip + " sport=" + std.port(client.ip)
    + " dst=" + server.ip + " dport=" + std.port(server.ip)
    + " alpn=" + proxy.alpn() + " authority=" + proxy.authority()
    + " ssl_version=" + proxy.ssl_version()
    + " ssl_cn=" + proxy.client_cert_cn()
    + " ssl_cipher=" + proxy.ssl_cipher() + {"
"});
  return (deliver);
}
`;

/** varnish, which compiles its configuration: the body of its answer. */
export const receiver: Receiver = {
  name: "varnish",
  isCheap: false,
  needsRoot: false,
  packages: ["varnish", "gcc", "libc6-dev"],
  programs: ["varnishd", "gcc"],
  tells: [
    "src",
    "sport",
    "dst",
    "dport",
    "alpn",
    "authority",
    "ssl_version",
    "ssl_cn",
    "ssl_cipher",
  ],
  differs: {
    ...NO_UNKNOWN,
    ...REAL_UDP,
    ...REAL_UNIX,
  },
  version: () => versionOf("varnishd", "-V"),
  start: () =>
    startPlan({
      async configure({ directory, port }) {
        const file = await write(`${directory}/varnish.vcl`, CONFIGURATION);
        return {
          program: "varnishd",
          args: [
            ...["-F", "-n", `${directory}/work`, "-f", file],
            ...["-a", `127.0.0.1:${port},PROXY`],
            ...["-s", "malloc,8m", "-j", "none"],
          ],
        };
      },
    }),
};
