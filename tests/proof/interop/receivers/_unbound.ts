/**
 * unbound, which answers `who.` by the address of the client. It tells no
 * more than that, so the answer is another one for each that is expected.
 *
 * @module
 */

import { askDnsOverTcp, askDnsOverUdp } from "./_dns.ts";
import { NO_CHECKSUM, NO_UNIX, onlyVersion } from "./_differences.ts";
import { versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

const CLIENTS = { local: "127.0.0.1", four: "192.0.2.1", six: "2001:db8::1" };

const views = Object.entries(CLIENTS).map(([name, address]) => `
server:
  access-control-view: ${address} ${name}
view:
  name: "${name}"
  local-zone: "who." static
  local-data: 'who. TXT "src=${address}"'
`);

const configuration = (directory: string, port: number) => `
server:
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "${directory}"
  pidfile: ""
  use-syslog: no
  logfile: ""
  num-threads: 1
  interface: 127.0.0.1@${port}
  proxy-protocol-port: ${port}
  access-control: 0.0.0.0/0 allow
  access-control: ::0/0 allow
  module-config: "iterator"
  local-zone: "who." static
  local-data: 'who. TXT "src=nobody"'
remote-control:
  control-enable: no
${views.join("")}
`;

/** unbound over one of its carriers. */
export function unbound(carrier: "TCP" | "UDP"): Receiver {
  return {
    name: `unbound over ${carrier}`,
    isCheap: true,
    isUdp: carrier === "UDP",
    needsRoot: false,
    packages: ["unbound"],
    programs: ["unbound"],
    tells: ["src"],
    differs: { ...NO_CHECKSUM, ...onlyVersion(2), ...NO_UNIX },
    version: () => versionOf("unbound", "-V"),
    start: () =>
      startPlan({
        async configure({ directory, port }) {
          const file = `${directory}/unbound.conf`;
          await write(file, configuration(directory, port));
          return { program: "unbound", args: ["-d", "-p", "-c", file] };
        },
        ask: carrier === "TCP" ? askDnsOverTcp : askDnsOverUdp,
      }),
  };
}
