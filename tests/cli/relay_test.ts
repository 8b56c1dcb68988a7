/** What `relay` does between clients and services, as a process with its permissions. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { decode, encode } from "../../codec/mod.ts";
import {
  CLIENT,
  HEADER,
  listen,
  receive,
  receiveText,
  send,
} from "../conn/_peers.ts";
import { within } from "../_within.ts";
import { runCli } from "../../conn/cli.ts";
import { type CliIo, MOST_LINES } from "../../conn/cli/io.ts";
import { run, start, test } from "./_cli.ts";
import { connect, dial, relayTo, TRUST, untilRefused } from "./_relay.ts";

test("relay maps ports to services, and gives them what is behind the header", async (on) => {
  using c2s = listen();
  using s2s = listen();
  const { cli, ports } = await relayTo(on, [c2s, s2s], ...TRUST);
  await using _ = cli;
  for (const [i, service] of [c2s, s2s].entries()) {
    using ends = await connect(ports[i], service, HEADER, "question");
    const { client, conn } = ends;
    await client.closeWrite();
    assertEquals(await receiveText(conn), "question");
    await send(conn, `answer ${i}`);
    conn.close();
    assertEquals(await receiveText(client), `answer ${i}`);
  }
});

test("relay --send passes the client and the TLVs on", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(on, [service], ...TRUST, ...[
    "--send",
    "v2",
    "--checksum",
    "--drop",
    "xEA",
    "--unique-id",
  ]);
  await using _ = cli;
  using client = await dial(port);
  const tlvs = {
    AUTHORITY: "a.example",
    xEA: Uint8Array.of(1),
    xEB: Uint8Array.of(2),
  };
  await send(client, encode({ ...CLIENT, tlvs }));
  await client.closeWrite();
  using conn = await service.accept();
  const info = decode(await receive(conn));
  assertEquals(info?.source, CLIENT.source);
  assertEquals(info?.destination, CLIENT.destination);
  assertEquals(Object.keys(info?.tlvs ?? {}), [
    "CRC32C",
    "AUTHORITY",
    "xEB",
    "UNIQUE_ID",
  ]);
});

test("relay --accept none begins a chain, and believes no header", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(on, [service], ...[
    "--accept",
    "none",
    "--send",
    "v1",
  ]);
  await using _ = cli;
  using ends = await connect(port, service, HEADER); // forged
  const { client, conn } = ends;
  await client.closeWrite();
  const received = await receive(conn);
  const info = decode(received);
  const { hostname, port: source } = client.localAddr;
  assertEquals(info?.source, { transport: "tcp", hostname, port: source });
  assertEquals(received.slice(info?.raw.length), HEADER);
});

test("relay --accept takes one version, or does without a header", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(
    on,
    [service],
    ...TRUST,
    "--accept",
    "v1",
  );
  await using _ = cli;
  using client = await dial(port);
  await send(client, HEADER);
  await cli.err(
    /Refused 127\.0\.0\.1:\d+ \(version\): Cannot decode PROXY header: version 2 at byte 0, expected 1; .*; received "/,
  );
  const optional = await relayTo(
    on,
    [service],
    ...TRUST,
    "--accept",
    "optional",
  );
  await using __ = optional.cli;
  using direct = await dial(optional.ports[0]);
  await send(direct, "no header");
  await direct.closeWrite();
  using conn = await service.accept();
  assertEquals(await receiveText(conn), "no header");
});

for (const untrusted of [["direct"], ["loopback"], ["::1", "127.0.0.1"]]) {
  test(`relay --untrusted ${untrusted} relays others as they are`, async (on) => {
    using service = listen();
    const { cli, ports: [port] } = await relayTo(on, [service], ...[
      "--trust",
      "private",
    ], ...untrusted.flatMap((value) => ["--untrusted", value]));
    await using _ = cli;
    using ends = await connect(port, service, HEADER);
    const { client, conn } = ends;
    await client.closeWrite();
    assertEquals(await receive(conn), HEADER);
  });
}

test("relay --trust loopback takes the header off, --untrusted private serves nobody here", async (on) => {
  using service = listen();
  const trusting = await relayTo(on, [service], "--trust", "loopback");
  await using _ = trusting.cli;
  using ends = await connect(trusting.ports[0], service, HEADER, "question");
  await ends.client.closeWrite();
  assertEquals(await receiveText(ends.conn), "question");
  const doubting = await relayTo(on, [service], ...[
    "--trust",
    "10.0.0.0/8",
    "--untrusted",
    "private",
  ]);
  await using __ = doubting.cli;
  using client = await dial(doubting.ports[0]);
  assertEquals((await receive(client)).length, 0);
});

test("relay tells of failures and counts them", async (on) => {
  const service = listen();
  const { cli, ports: [port] } = await relayTo(
    on,
    [service],
    ...TRUST,
    "--stats",
    "0",
  );
  await using _ = cli;
  {
    using ends = await connect(port, service, HEADER, "12345");
    const { client, conn } = ends;
    await client.closeWrite();
    assertEquals(await receiveText(conn), "12345");
    await send(conn, "123");
    conn.close();
    assertEquals(await receiveText(client), "123");
  }
  service.close();
  using refused = await dial(port);
  await send(refused, "hello?");
  await cli.err(/Refused .* \(signature\): /);
  using lost = await dial(port);
  await send(lost, HEADER);
  await cli.err(
    /Cannot relay 192\.0\.2\.1:1111 to 127\.0\.0\.1:\d+: Connection refused/,
  );
  cli.kill("SIGTERM");
  const { code, out, err } = await cli.ended();
  for (const line of err.trimEnd().split("\n")) { // no stack
    assertMatch(line, /^(Relaying|Refused|Cannot relay|Stopping)/);
  }
  assertEquals(code, 0);
  const { maps: [counts], time } = JSON.parse(out);
  assert(!Number.isNaN(Date.parse(time)));
  assertEquals(counts, {
    from: `127.0.0.1:${port}`,
    to: `127.0.0.1:${service.addr.port}`,
    accepted: 2,
    direct: 0,
    local: 0,
    pending: 0,
    rejected: { signature: 1 },
    active: 0,
    failed: 1,
    sent: 5,
    received: 3,
  });
});

/** A relay within the test whose lines, once it listens, are taken by `warn`. */
async function relayWarning(
  warn: CliIo["warn"],
): Promise<{ port: number; stop: () => void; ended: Promise<number> }> {
  const { promise: port, resolve } = Promise.withResolvers<number>();
  const stopping = new AbortController();
  const args = ["relay", "--map", "127.0.0.1:0=127.0.0.1:1", ...TRUST];
  const ended = runCli(args, {
    input: new ReadableStream(),
    isInputTerminal: true,
    write: () => Promise.resolve(),
    warn(line) {
      const [, port] = /^Relaying 127\.0\.0\.1:(\d+)/.exec(line) ?? [];
      if (port === undefined) return warn(line);
      resolve(Number(port));
      return Promise.resolve();
    },
    stop: () => stopping.signal,
  });
  return {
    port: await within(port, "the port"),
    stop: () => stopping.abort(),
    ended,
  };
}

Deno.test("relay keeps no more lines than a bound for who does not read them, and says how many it left out", async () => {
  const lines: string[] = [];
  const { promise: isRead, resolve: read } = Promise.withResolvers<void>();
  const { promise: gap, resolve: tellGap } = Promise.withResolvers<string>();
  const { port, stop, ended } = await relayWarning((line) => {
    lines.push(line);
    if (line.includes("\n")) tellGap(line);
    return isRead;
  });
  const beRefused = async () => {
    using client = await dial(port);
    await send(client, "nonsense");
    await receive(client);
  };
  for (let i = 0; i < MOST_LINES + 3; i++) await beRefused();
  assertEquals(lines.length, MOST_LINES);
  read();
  await beRefused();
  assertMatch(
    await within(gap, "the next line"),
    /^3 lines left out here: nobody read them\nRefused 127/,
  );
  stop();
  assertEquals(await ended, 0);
  assertEquals(lines.at(-1), "Stopping, 0 connections open");
});

Deno.test("relay stops to listen though nobody reads its lines", async () => {
  const { promise: isRead, resolve: read } = Promise.withResolvers<void>();
  const { port, stop, ended } = await relayWarning(() => isRead);
  stop();
  await untilRefused(port);
  read();
  assertEquals(await ended, 0);
});

test("relay --stats prints counters at an interval", async (on) => {
  using service = listen();
  const { cli } = await relayTo(on, [service], ...TRUST, "--stats", "1");
  await using _ = cli;
  const [first] = await cli.out(/^.*\n/);
  assertEquals(JSON.parse(first).maps.length, 1);
});

test("relay lets connections end after SIGTERM, and takes no new ones", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(on, [service], ...TRUST);
  await using _ = cli;
  using ends = await connect(port, service, HEADER);
  const { client, conn } = ends;
  cli.kill("SIGTERM");
  await untilRefused(port);
  await send(client, "late question");
  await client.closeWrite();
  assertEquals(await receiveText(conn), "late question");
  await send(conn, "late answer");
  conn.close();
  assertEquals(await receiveText(client), "late answer");
  assertEquals((await cli.ended()).code, 0);
});

test("relay closes what is still open after --grace, with exit code 0", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(
    on,
    [service],
    ...TRUST,
    "--grace",
    "0",
  );
  await using _ = cli;
  using ends = await connect(port, service, HEADER);
  const { client, conn } = ends;
  cli.kill("SIGINT");
  await cli.err(/Stopping, 1 connection open\n/);
  await cli.err(
    /Cannot relay 192\.0\.2\.1:1111 .*: closed at the end of --grace/,
  );
  assertEquals(await receive(client), new Uint8Array());
  assertEquals(await receive(conn), new Uint8Array());
  assertEquals((await cli.ended()).code, 0);
});

test("relay ends at once at the second signal", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(on, [service], ...TRUST);
  await using _ = cli;
  using ends = await connect(port, service, HEADER);
  cli.kill("SIGTERM");
  await untilRefused(port);
  cli.kill("SIGTERM");
  assertEquals((await cli.ended()).code, 128 + 15);
  assertEquals(await receive(ends.conn), new Uint8Array());
});

test("relay fails when it cannot listen", async (on) => {
  using taken = listen();
  const { port } = taken.addr;
  await using cli = start(on, ["--allow-net"], [
    ...["relay", "--map", "127.0.0.1:0=127.0.0.1:1", ...TRUST],
    ...["--map", `127.0.0.1:${port}=127.0.0.1:1`],
  ]);
  const { code, err } = await cli.ended();
  assertEquals(code, 1);
  assertMatch(
    err,
    new RegExp(`Cannot listen on 127.0.0.1:${port}: Address already`),
  );
});

for (
  const options of [
    ["--accept", "v1", "--untrusted", "direct"],
    ["--accept", "v2", "--send", "v2", "--keep", "ALPN", "--unique-id"],
    ["--accept", "optional", "--send", "v1", "--drop", "xEA", "--checksum"],
    ["--accept", "any", "--unmap", "--mixed-tcp6"],
    ["--accept", "any", "--tlvs", "lenient", "--max-length", "100"],
    ["--accept", "any", "--untrusted", "reject", "--stats", "1"],
  ]
) {
  Deno.test(`relay starts with ${options.join(" ")}, and ends when it is told to`, async () => {
    const args = ["relay", "--map", "127.0.0.1:0=127.0.0.1:1", ...TRUST];
    const outcome = await run(
      [...args, ...options],
      undefined,
      AbortSignal.abort(),
    );
    assertEquals(outcome.code, 0, outcome.err);
    assertMatch(outcome.err, /Relaying 127\.0\.0\.1:\d+ to 127\.0\.0\.1:1\n/);
  });
}

Deno.test("relay starts with --accept none and trusts nobody, and ends when it is told to", async () => {
  const args = ["relay", "--map", "127.0.0.1:0=127.0.0.1:1"];
  const outcome = await run(
    [...args, "--accept", "none"],
    undefined,
    AbortSignal.abort(),
  );
  assertEquals(outcome.code, 0, outcome.err);
});
