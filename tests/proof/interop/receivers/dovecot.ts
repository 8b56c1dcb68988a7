/** @module */

import { asking } from "./_client.ts";
import {
  NO_CHECKSUM,
  NO_PIECES,
  NO_UDP,
  NO_UNIX,
  NO_UNSPEC,
} from "./_differences.ts";
import { versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

const configuration = (directory: string, port: number) => `
protocols = imap
base_dir = ${directory}/run
state_dir = ${directory}/state
log_path = ${directory}/dovecot.log
ssl = no
default_login_user = dovenull
default_internal_user = dovecot
haproxy_trusted_networks = 127.0.0.0/8
haproxy_timeout = 3s
login_greeting = src=%{rip} dst=%{lip} .
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${directory}
}
service imap-login {
  inet_listener imap {
    address = 127.0.0.1
    port = ${port}
    haproxy = yes
  }
  inet_listener imaps {
    port = 0
  }
}
`;

/** dovecot for IMAP: its greeting. */
export const receiver: Receiver = {
  name: "dovecot",
  isCheap: false,
  needsRoot: true,
  packages: ["dovecot-imapd"],
  programs: ["dovecot"],
  tells: ["src", "dst"],
  differs: {
    ...NO_PIECES,
    ...NO_CHECKSUM,
    ...NO_UDP,
    ...NO_UNSPEC,
    ...NO_UNIX,
  },
  version: () => versionOf("dovecot", "--version"),
  start: () =>
    startPlan({
      async configure({ directory, port }) {
        const file = `${directory}/dovecot.conf`;
        await write(file, configuration(directory, port));
        await Deno.mkdir(`${directory}/run`);
        await Deno.mkdir(`${directory}/state`);
        await Deno.chmod(directory, 0o755);
        return { program: "dovecot", args: ["-F", "-c", file] };
      },
      // Another line may come before, while the authentication starts.
      ask: asking("", (text) => text.includes("src=")),
    }),
};
