/** nginx: version 1 from its stream module, over TCP and UDP. */

import { HAS_IPV6 } from "../../../conn/_loopback.ts";
import { dial, dialUnix, throughSender } from "../_client.ts";
import type { Driver } from "../_driver.ts";
import { startNginx } from "../_nginx.ts";
import type { Running } from "../_system.ts";
import {
  datagramThroughSender,
  DatagramUpstream,
  sessionThroughSender,
  SessionUpstream,
} from "../_datagrams.ts";
import { Upstream } from "../_upstream.ts";

/** Starts a sender: plain, dual-stack, and twice of UDP, in the order of its ports. */
export function startSender(
  upstream: number,
  datagrams = upstream,
  sessions = upstream,
): Promise<Running> {
  return startNginx(
    ({ directory, ports: [plain = 0, dual = 0, udp = 0, kept = 0] }) => `
  server {
    listen 127.0.0.1:${plain};
    ${HAS_IPV6 ? `listen [::1]:${plain};` : ""}
    listen unix:${directory}/client;
    proxy_pass 127.0.0.1:${upstream};
    proxy_protocol on;
  }
  server {
    ${HAS_IPV6 ? `listen [::]:${dual} ipv6only=off;` : `listen ${dual};`}
    proxy_pass 127.0.0.1:${upstream};
    proxy_protocol on;
  }
  server {
    listen 127.0.0.1:${udp} udp;
    proxy_pass 127.0.0.1:${datagrams};
    proxy_protocol on;
  }
  server {
    listen 127.0.0.1:${kept} udp;
    proxy_pass 127.0.0.1:${sessions};
    proxy_protocol on;
  }
`,
    4,
  );
}

export const nginx: Driver = {
  system: "nginx",
  direction: "sender",
  programs: ["nginx"],
  version: ["nginx", "-v"],
  isInEveryRun: true,
  async run(attempt) {
    using upstream = new Upstream();
    using datagrams = await DatagramUpstream.open();
    using sessions = await SessionUpstream.open("first");
    await using running = await startSender(
      upstream.port,
      datagrams.port,
      sessions.port,
    );
    const { directory, ports: [plain = 0, dual = 0, udp = 0, kept = 0] } =
      running;
    await attempt({
      input: "v1 TCP4",
      expected: "v1 INET STREAM, client -> dialled",
      see: () => throughSender(upstream, dial(plain)),
    });
    await attempt({
      input: "v1 for a UNIX client",
      expected: "v1 UNKNOWN, shows the hop",
      see: () => throughSender(upstream, dialUnix(`${directory}/client`)),
    });
    await attempt({
      input: "v1 in the first datagram of UDP",
      target: "decodeDatagram()",
      expected: "v1 INET STREAM, client -> dialled",
      see: () => datagramThroughSender(datagrams, udp),
      note: "writes TCP4 in datagrams, because v1 has no name for UDP",
    });
    await attempt({
      input: "v1 in the first of two datagrams",
      target: "DatagramSessions",
      expected: "v1 INET STREAM, client -> dialled, one session",
      see: () => sessionThroughSender(sessions, kept),
    });
    if (!HAS_IPV6) return;
    await attempt({
      input: "v1 TCP6",
      expected: "v1 INET6 STREAM, client -> dialled",
      see: () => throughSender(upstream, dial(plain, "::1")),
    });
    await attempt({
      input: "v1 TCP6 with mapped addresses, `unmap` on",
      expected: "v1 INET STREAM, client -> dialled",
      see: () => throughSender(upstream, dial(dual), { unmap: true }),
      note: "mapped addresses from a dual-stack listener (`unmap` shows IPv4)",
    });
  },
};
