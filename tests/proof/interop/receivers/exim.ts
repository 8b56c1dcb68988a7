/** @module */

import { exchange } from "./_client.ts";
import {
  NO_CHECKSUM,
  NO_PIECES_OF_SIGNATURE,
  NO_UDP,
  NO_UNIX,
  NO_UNSPEC,
} from "./_differences.ts";
import { outcomeOf, readFacts } from "./_facts.ts";
import { giveTo, versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

/** Where `install.sh` unpacks it: its package conflicts with that of postfix. */
const EXIM = "/opt/exim4-daemon-heavy/usr/sbin/exim4";

const USER = "Debian-exim";

const configuration = (directory: string, port: number) => `
exim_user = ${USER}
exim_group = ${USER}
spool_directory = ${directory}/spool
log_file_path = ${directory}/spool/%slog
pid_file_path = ${directory}/spool/exim.pid
daemon_smtp_ports = ${port}
local_interfaces = 127.0.0.1
host_lookup =
rfc1413_query_timeout = 0s
hosts_proxy = 127.0.0.1
smtp_banner = src=$sender_host_address sport=$sender_host_port dst=$proxy_external_address dport=$proxy_external_port
# The client does not wait for the banner.
smtp_enforce_sync = false
acl_smtp_connect = accept
tls_advertise_hosts =
keep_environment =
`;

/** exim: its banner. */
export const receiver: Receiver = {
  name: "exim",
  isCheap: false,
  needsRoot: true,
  packages: ["exim4-daemon-heavy"],
  programs: [EXIM],
  tells: ["src", "sport", "dst", "dport"],
  differs: {
    ...NO_PIECES_OF_SIGNATURE,
    ...NO_CHECKSUM,
    ...NO_UDP,
    ...NO_UNSPEC,
    ...NO_UNIX,
  },
  version: () => versionOf(EXIM, "-bV"),
  start: () =>
    startPlan({
      async configure({ directory, port }) {
        const file = `${directory}/exim.conf`;
        await write(file, configuration(directory, port));
        await Deno.mkdir(`${directory}/spool`);
        await Deno.chmod(directory, 0o755);
        await giveTo(USER, `${directory}/spool`);
        return { program: EXIM, args: ["-C", file, "-bdf"] };
      },
      async ask(port, sent) {
        const request = "EHLO client\r\nQUIT\r\n";
        const { text, port: ours } = await exchange(port, sent, request);
        // It greets all, and does nothing for those that it refuses.
        return text.includes("\r\n250 ")
          ? outcomeOf(readFacts(text), ours)
          : "refused";
      },
    }),
};
