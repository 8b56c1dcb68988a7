/** dnsdist: version 2 over UDP and TCP, with a TLV of its own. */

import { HAS_IPV6, receive, send } from "../../../conn/_loopback.ts";
import { dial, runClient } from "../_client.ts";
import {
  DatagramUpstream,
  dialDatagram,
  sessionThroughSender,
  SessionUpstream,
} from "../_datagrams.ts";
import { ANSWER, answer, DNS, framed, isAnswer, QUERY } from "../_dns.ts";
import type { Driver } from "../_driver.ts";
import { start } from "../_system.ts";
import { describe, describeHeader, endsOf, Upstream } from "../_upstream.ts";

export const dnsdist: Driver = {
  system: "dnsdist",
  direction: "sender",
  programs: ["dnsdist", "curl"],
  version: ["dnsdist", "--version"],
  isInEveryRun: false,
  async run(attempt) {
    using upstream = new Upstream();
    // It sends both to one port number.
    using datagrams = await DatagramUpstream.open(upstream.port);
    using sessions = await SessionUpstream.open("each", answer);
    await using running = await start(
      3,
      async (
        {
          directory,
          ports: [port = 0, https = 0, kept = 0],
          certFile,
          keyFile,
        },
      ) => {
        const file = `${directory}/dnsdist.lua`;
        await Deno.writeTextFile(
          file,
          `
setSecurityPollSuffix("")
setLocal("127.0.0.1:${port}")
${HAS_IPV6 ? `addLocal("[::1]:${port}")` : ""}
addLocal("127.0.0.1:${kept}")
addAction(DSTPortRule(${kept}), PoolAction("sessions"))
addDOHLocal("127.0.0.1:${https}", "${certFile}", "${keyFile}", "/dns-query")
setACL({"127.0.0.0/8", "::1/128"})
addAction(AllRule(), SetProxyProtocolValuesAction({["224"]="custom"}))
newServer({address="127.0.0.1:${upstream.port}", useProxyProtocol=true})
getServer(0):setUp()
newServer({address="127.0.0.1:${sessions.port}", useProxyProtocol=true, pool="sessions"})
getServer(1):setUp()
`,
        );
        return {
          program: "dnsdist",
          args: ["--supervised", "--disable-syslog", "-C", file],
          ready: [port, https],
        };
      },
    );
    const { directory, ports: [port = 0, https = 0, kept = 0] } = running;

    async function overTcp(hostname?: string): Promise<string> {
      const { conn } = await dial(port, hostname);
      using client = conn;
      const ends = endsOf(client);
      await send(client, framed(QUERY));
      const accepted = await upstream.next(DNS);
      const message = await receive(client, framed(answer(QUERY)).length);
      return isAnswer(message)
        ? describe(accepted, ends)
        : `the answer is not ${ANSWER}`;
    }

    async function overUdp(hostname?: string): Promise<string> {
      using client = await dialDatagram(port, hostname);
      const arriving = datagrams.next();
      client.send(QUERY);
      const { info, payload, reply } = await arriving;
      reply(answer(payload));
      return isAnswer(await client.receive())
        ? describeHeader(info, client.ends)
        : `the answer is not ${ANSWER}`;
    }

    async function overHttps(): Promise<string> {
      const [query, message] = [`${directory}/query`, `${directory}/message`];
      await Deno.writeFile(query, QUERY);
      const arriving = datagrams.next();
      const asking = runClient("curl", [
        ...["--silent", "--insecure", "--max-time", "5", "--output", message],
        ...["--header", "Content-Type: application/dns-message"],
        ...["--data-binary", `@${query}`, "--write-out", "%{local_port}"],
        `https://127.0.0.1:${https}/dns-query`,
      ]);
      const { info, payload, reply } = await arriving;
      reply(answer(payload));
      const end = { transport: "tcp", hostname: "127.0.0.1" } as const;
      const client = { ...end, port: Number(await asking) };
      return isAnswer(await Deno.readFile(message))
        ? describeHeader(info, { client, dialled: { ...end, port: https } })
        : `the answer is not ${ANSWER}`;
    }

    await attempt({
      input: "v2 in a datagram for a client of HTTPS",
      target: "decodeDatagram()",
      expected: "v2 INET STREAM, client -> dialled, xE0=custom",
      see: overHttps,
      note: "writes STREAM in a datagram if the client uses DNS over HTTPS",
    });
    await attempt({
      input: "v2 TCP4 with a TLV of its own",
      expected: "v2 INET STREAM, client -> dialled, xE0=custom",
      see: () => overTcp(),
    });
    await attempt({
      input: "v2 UDP4 with a TLV of its own",
      target: "decodeDatagram()",
      expected: "v2 INET DGRAM, client -> dialled, xE0=custom",
      see: () => overUdp(),
    });
    await attempt({
      input: "v2 in each of two datagrams",
      target: "DatagramSessions",
      expected: "v2 INET DGRAM, client -> dialled, one session",
      see: () => sessionThroughSender(sessions, kept, QUERY, isAnswer),
    });
    if (!HAS_IPV6) return;
    await attempt({
      input: "v2 TCP6 with a TLV of its own",
      expected: "v2 INET6 STREAM, client -> dialled, xE0=custom",
      see: () => overTcp("::1"),
    });
    await attempt({
      input: "v2 UDP6 with a TLV of its own",
      target: "decodeDatagram()",
      expected: "v2 INET6 DGRAM, client -> dialled, xE0=custom",
      see: () => overUdp("::1"),
    });
  },
};
