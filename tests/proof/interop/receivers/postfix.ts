/** @module */

import { exchange } from "./_client.ts";
import {
  NO_CHECKSUM,
  NO_PIECES,
  NO_UDP,
  NO_UNIX,
  NO_UNKNOWN,
  NO_UNSPEC,
} from "./_differences.ts";
import { outcomeOf, readFacts } from "./_facts.ts";
import { run, versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

const MASTER = "/usr/lib/postfix/sbin/master";

const configuration = (directory: string) => `
compatibility_level = 3.6
queue_directory = ${directory}/spool
data_directory = ${directory}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = all
myhostname = localhost
mydestination = localhost
smtpd_delay_reject = no
smtpd_client_restrictions = reject
smtpd_reject_footer = src=$client_address sport=$client_port
smtpd_upstream_proxy_protocol = haproxy
smtpd_upstream_proxy_timeout = 5s
smtputf8_enable = no
maillog_file = ${directory}/mail.log
maillog_file_prefixes = ${directory}
`;

const services = (port: number) => `
127.0.0.1:${port} inet n - n - - smtpd
anvil    unix - - n - 1 anvil
rewrite  unix - - n - - trivial-rewrite
proxymap unix - - n - - proxymap
tlsmgr   unix - - n 1000? 1 tlsmgr
postlog  unix-dgram n - n - 1 postlogd
`;

/** postfix, which refuses everybody: its greeting says whom. */
export const receiver: Receiver = {
  name: "postfix",
  isCheap: false,
  needsRoot: true,
  packages: ["postfix"],
  programs: ["postfix", MASTER],
  tells: ["src", "sport"],
  differs: {
    ...NO_PIECES,
    ...NO_CHECKSUM,
    ...NO_UDP,
    ...NO_UNKNOWN,
    ...NO_UNSPEC,
    ...NO_UNIX,
  },
  version: () => versionOf("postconf", "-d", "mail_version"),
  start: () =>
    startPlan({
      async configure({ directory, port }) {
        const conf = `${directory}/conf`;
        await write(`${conf}/main.cf`, configuration(directory));
        await write(`${conf}/master.cf`, services(port));
        await Deno.mkdir(`${directory}/spool`);
        await Deno.mkdir(`${directory}/data`);
        await Deno.chmod(directory, 0o755);
        await run("chown", ["postfix", `${directory}/data`]);
        await run("postfix", ["-c", conf, "check"]);
        // What `postfix start-fg` starts would outlive that program.
        return { program: MASTER, args: ["-d", "-c", conf] };
      },
      async ask(port, sent) {
        const isReply = (text: string) => /^\d{3} .*\r\n$/m.test(text);
        const { text, port: ours } = await exchange(port, sent, "", isReply);
        // 421 answers a header that it does not take, and shows the hop.
        return text.startsWith("554")
          ? outcomeOf(readFacts(text), ours)
          : "refused";
      },
    }),
};
