/** What keeps `relay` running, and what it tells those who watch it. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { HEADER, listen, receive, receiveText, send } from "../conn/_peers.ts";
import { freePort } from "../_ports.ts";
import { isMissing } from "../proof/interop/_system.ts";
import { within } from "../_within.ts";
import { type On, start, type Started, test } from "./_cli.ts";
import { connect, dial, relayTo, TRUST, untilRefused } from "./_relay.ts";

/** The lines of a log that have come, as JSON. */
async function logOf(cli: Started, count: number) {
  const [text] = await cli.out(new RegExp(`^(?:\\{.*\\}\n){${count}}`));
  return text.trimEnd().split("\n").map((line) => JSON.parse(line));
}

test("relay --idle-timeout closes a connection on which nothing moves, and says so in its log", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(
    on,
    [service],
    ...TRUST,
    ...["--idle-timeout", "1", "--log", "json"],
  );
  await using _ = cli;
  using ends = await connect(port, service, HEADER, "question");
  const { client, conn } = ends;
  await conn.read(new Uint8Array(8));
  assertEquals((await receive(client)).length, 0);
  assertEquals((await receive(conn)).length, 0);
  const [{ time, hop, duration, ...rest }] = await logOf(cli, 1);
  assert(!Number.isNaN(Date.parse(time)));
  assertEquals(hop, `127.0.0.1:${client.localAddr.port}`);
  assert(duration >= 1 && duration < 30);
  assertEquals(rest, {
    client: "192.0.2.1:1111",
    target: `127.0.0.1:${service.addr.port}`,
    sent: 8,
    received: 0,
    ended: "idle",
  });
});

test("relay --half-open-timeout closes what is open in one direction alone", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(
    on,
    [service],
    ...TRUST,
    ...["--half-open-timeout", "1"],
  );
  await using _ = cli;
  using ends = await connect(port, service, HEADER);
  const { client, conn } = ends;
  await client.closeWrite();
  assertEquals((await receive(conn)).length, 0);
  assertEquals((await receive(client)).length, 0);
});

/** The timers of connections of this host, by their ports in hex: 2 is that of keepalive. */
async function timers(): Promise<Map<string, string>> {
  const text = await Deno.readTextFile("/proc/net/tcp");
  return new Map(
    Array.from(
      text.matchAll(
        /: \w+:(\w+) \w+:(\w+) 01 \S+ (\d\d):/g,
      ),
      ([, from, to, timer = ""]) => [`${from} ${to}`, timer],
    ),
  );
}

test("relay keeps both sides alive by probes of TCP", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(on, [service], ...TRUST);
  await using _ = cli;
  using ends = await connect(port, service, HEADER, "a");
  const { client, conn } = ends;
  await conn.read(new Uint8Array(1));
  const hex = ({ port }: { port: number }) =>
    port.toString(16).toUpperCase().padStart(4, "0");
  const kept = await timers();
  const sides = [
    `${hex({ port: port ?? 0 })} ${hex(client.localAddr)}`,
    `${hex(conn.remoteAddr)} ${hex(service.addr)}`,
  ];
  assertEquals(sides.map((side) => kept.get(side)), ["02", "02"]);
}, Deno.build.os !== "linux");

test("relay --max-connections closes one more, and relays the next when one has ended", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(
    on,
    [service],
    ...TRUST,
    ...["--max-connections", "1", "--log", "json", "--stats", "0"],
  );
  await using _ = cli;
  {
    using ends = await connect(port, service, HEADER);
    using more = await dial(port);
    await send(more, HEADER);
    assertEquals((await receive(more)).length, 0);
    ends.conn.close();
    assertEquals((await receive(ends.client)).length, 0);
  }
  const [limited, closed] = await logOf(cli, 2);
  assertEquals([limited.ended, closed.ended], ["limit", "closed"]);
  assertEquals(limited.reason, "more than 1 connections");
  using next = await connect(port, service, HEADER, "question");
  await next.client.closeWrite();
  assertEquals(await receiveText(next.conn), "question");
  next.conn.close();
  await logOf(cli, 3);
  cli.kill("SIGTERM");
  const { out } = await cli.ended();
  const { maps: [counts] } = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "");
  assertEquals([counts.accepted, counts.rejected], [2, { limit: 1 }]);
});

test("relay --log has a line for a target that is dead, and for who is rejected", async (on) => {
  const service = listen();
  const { cli, ports: [port] } = await relayTo(
    on,
    [service],
    ...TRUST,
    ...["--log", "text"],
  );
  await using _ = cli;
  service.close();
  using lost = await dial(port);
  await send(lost, HEADER);
  await cli.out(
    /^\S+Z 192\.0\.2\.1:1111 by 127\.0\.0\.1:\d+ to 127\.0\.0\.1:\d+ sent 0 received 0 in \S+ s failed: Connection refused.*\n/,
  );
  using rejected = await dial(port);
  await send(rejected, "GET / HTTP/1.1\r\n\r\n");
  await cli.out(
    /\n\S+Z - by 127\.0\.0\.1:\d+ to \S+ sent 0 received 0 in 0 s rejected: \(signature\): .*\n/,
  );
  cli.kill("SIGTERM");
  const { err } = await cli.ended();
  assertMatch(err, /^Relaying .*\nStopping, 0 connections open\n$/);
});

test("relay continues while nobody reads its log", async (on) => {
  using service = listen();
  answerYes(service);
  const [program = "", ...args] = on.command(["--allow-net"]);
  const child = new Deno.Command(program, {
    args: [
      ...[...args, "relay", "--map"],
      `127.0.0.1:0=127.0.0.1:${service.addr.port}`,
      ...[...TRUST, "--log", "json"],
    ],
    stdout: "piped", // and not read
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  const [, port] = /Relaying 127\.0\.0\.1:(\d+)/.exec(
    new TextDecoder().decode(value),
  ) ?? [];
  // Lines of more than 200 bytes, where a pipe has room for 65536.
  for (let i = 0; i < 600; i++) {
    using client = await dial(Number(port));
    await send(client, "nonsense".repeat(5));
    await within(receive(client), "the rejection");
  }
  assertEquals(await within(isTrusted(Number(port)), "an answer"), true);
  child.kill("SIGKILL");
  await Promise.all([child.stdout.cancel(), child.status]);
});

/** Whether a header from this host is accepted: the service is asked. */
async function isTrusted(port: number | undefined): Promise<boolean> {
  try {
    using client = await dial(port);
    await send(client, HEADER);
    return await receiveText(client) === "yes";
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return false;
    throw error;
  }
}

async function answerYes(service: Deno.TcpListener): Promise<void> {
  for await (const conn of service) {
    await send(conn, "yes");
    conn.close();
  }
}

test("relay --trust-file is read again when it changes and at SIGHUP, and stays in force when it is wrong", async (on) => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "# proxies\n10.0.0.0/8\n\n");
    using service = listen();
    answerYes(service);
    const { cli, ports: [port] } = await relayTo(
      on,
      [service],
      ...["--trust-file", file, "--trust", "192.0.2.0/24"],
    );
    await using _ = cli;
    assertEquals(await isTrusted(port), false);
    await Deno.writeTextFile(file, "10.0.0.0/8\n127.0.0.0/8 # this host\n");
    await cli.err(/Reloaded \S+, which lists 2\n/);
    assertEquals(await isTrusted(port), true);
    await Deno.writeTextFile(file, "10.0.0.0/8\n\n127.0.0.1/8\n");
    cli.kill("SIGHUP");
    await cli.err(
      /Cannot reload \S+, the former list stays in force: line 3: .*127\.0\.0\.1\/8/,
    );
    assertEquals(await isTrusted(port), true);
    await Deno.writeTextFile(file, "::1\n");
    cli.kill("SIGHUP");
    await cli.err(/Reloaded \S+, which lists 1\n/);
    assertEquals(await isTrusted(port), false);
    cli.kill("SIGTERM");
    assertEquals((await cli.ended()).code, 0);
  } finally {
    await Deno.remove(file);
  }
});

test("relay --trust-file must be there, and have entries that are some", async (on) => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "10.0.0.0/8\nlocalhost\n");
    const args = ["relay", "--map", "127.0.0.1:0=127.0.0.1:1", "--trust-file"];
    await using missing = start(on, ["-A"], [...args, `${file}.not`]);
    await using wrong = start(on, ["-A"], [...args, file]);
    assertMatch(
      (await missing.ended()).err,
      /^Cannot read \S+: No such file or directory/,
    );
    const { code, err } = await wrong.ended();
    assertEquals(code, 1);
    assertMatch(err, /^Cannot read \S+: line 2: .*"localhost"/);
  } finally {
    await Deno.remove(file);
  }
});

async function get(url: string, accept = "*/*"): Promise<[number, string]> {
  const response = await fetch(url, { headers: { accept } });
  return [response.status, await response.text()];
}

test("relay --health is 200 while it listens, and 503 while connections end", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(
    on,
    [service],
    ...TRUST,
    ...["--health", "0"],
  );
  await using _ = cli;
  const [, url = ""] = await cli.err(/Health at (http:\S+)\n/);
  assertEquals(await get(`${url}healthz`), [200, "listening\n"]);
  using ends = await connect(port, service, HEADER);
  cli.kill("SIGTERM");
  await untilRefused(port);
  assertEquals(await get(url), [503, "draining\n"]);
  ends.conn.close();
  ends.client.close();
  assertEquals((await cli.ended()).code, 0);
});

/** Prometheus says what it thinks of metrics. */
async function promtool(text: string): Promise<string> {
  const child = new Deno.Command("promtool", {
    args: ["check", "metrics"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return `${code} ${decoder.decode(stdout)}${decoder.decode(stderr)}`.trim();
}

test("relay --metrics has what --stats counts, and promtool finds nothing wrong with it", async (on) => {
  using service = listen();
  const { cli, ports: [port] } = await relayTo(
    on,
    [service],
    ...TRUST,
    ...["--metrics", "0", "--log", "json"],
  );
  await using _ = cli;
  const [, url = ""] = await cli.err(/Metrics at (http:\S+)\n/);
  {
    using ends = await connect(port, service, HEADER, "12345");
    await ends.client.closeWrite();
    assertEquals(await receiveText(ends.conn), "12345");
    await send(ends.conn, "123");
    ends.conn.close();
    assertEquals(await receiveText(ends.client), "123");
  }
  using rejected = await dial(port);
  await send(rejected, "nonsense");
  await logOf(cli, 2);
  using open = await connect(port, service, HEADER);
  const [status, text] = await get(`${url}metrics`);
  assertEquals(status, 200);
  const labels =
    `listen="127.0.0.1:${port}",target="127.0.0.1:${service.addr.port}"`;
  const values = new Map(
    text.split("\n").filter((line) => /^[a-z]/.test(line)).map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at).replace(labels, ""), line.slice(at + 1)];
    }),
  );
  const prefix = "proxy_protocol_relay_";
  assertEquals(
    [...values],
    [
      ["accepted_total{}", "2"],
      ["direct_total{}", "0"],
      ["local_total{}", "0"],
      ['rejected_total{,code="signature"}', "1"],
      ["failed_total{}", "0"],
      ["pending{}", "0"],
      ["active{}", "1"],
      ['payload_bytes_total{,direction="to_target"}', "5"],
      ['payload_bytes_total{,direction="to_client"}', "3"],
    ].map(([name, value]) => [`${prefix}${name}`, value]),
  );
  open.conn.close();
  if (isMissing("promtool")) return;
  assertEquals(await promtool(text), "0");
  assertMatch(await promtool(`${text}a_total{ 1\n`), /^1 /);
});

/** Workers on a port that was free. */
async function workersTo(
  on: On,
  service: Deno.TcpListener,
  ...args: string[]
): Promise<{ cli: Started; port: number }> {
  const port = freePort();
  const map = `127.0.0.1:${port}=127.0.0.1:${service.addr.port}`;
  const cli = start(
    on,
    ["--allow-net", "--allow-run"],
    ["relay", "--map", map, ...TRUST, "--workers", "2", ...args],
  );
  await cli.err(/Relaying /);
  return { cli, port };
}

/** The children of a process. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return text.trim().split(" ").map(Number);
}

/** Asks through the relay, until `count` answers have come. */
async function askOften(
  port: number,
  service: Deno.TcpListener,
  count: number,
): Promise<void> {
  for (let i = 0; i < count; i++) {
    using ends = await connect(port, service, HEADER, "a");
    await ends.client.closeWrite();
    assertEquals(await receiveText(ends.conn), "a");
    ends.conn.close();
    await receive(ends.client);
  }
}

test(
  "relay --workers shares a port between processes, counts for all, and replaces one that ends",
  async (on) => {
    using service = listen();
    const { cli, port } = await workersTo(
      on,
      service,
      ...["--log", "json", "--metrics", "0", "--stats", "0"],
    );
    await using _ = cli;
    const [, url = ""] = await cli.err(/Metrics at (http:\S+)\n/);
    await askOften(port, service, 20);
    assertEquals((await logOf(cli, 20)).length, 20);
    const accepted = async () =>
      /accepted_total\{.*\} (\d+)/.exec((await get(url))[1])?.[1];
    assertEquals(await accepted(), "20");
    const before = await childrenOf(cli.pid);
    assertEquals(before.length, 2);
    Deno.kill(before[0] ?? 0, "SIGKILL");
    await cli.err(/A worker has ended with SIGKILL: starting another\n/);
    await within(
      (async () => {
        while ((await childrenOf(cli.pid)).length < 2) await accepted();
      })(),
      "another worker",
    );
    assertEquals(await accepted(), "20"); // those of the one that was killed as well
    await askOften(port, service, 4);
    cli.kill("SIGTERM");
    const { code, out } = await cli.ended();
    assertEquals(code, 0);
    const { maps: [counts] } = JSON.parse(
      out.trimEnd().split("\n").at(-1) ?? "",
    );
    assertEquals([counts.accepted, counts.active, counts.sent], [24, 0, 24]);
  },
  Deno.build.os !== "linux",
);

test(
  "relay --workers lets connections end after SIGTERM, and ends when it cannot listen",
  async (on) => {
    using service = listen();
    const { cli, port } = await workersTo(on, service);
    await using _ = cli;
    using ends = await connect(port, service, HEADER);
    const { client, conn } = ends;
    cli.kill("SIGTERM");
    await untilRefused(port);
    await send(client, "late question");
    await client.closeWrite();
    assertEquals(await receiveText(conn), "late question");
    conn.close();
    assertEquals((await cli.ended()).code, 0);
    using taken = listen();
    const map = `127.0.0.1:${taken.addr.port}=127.0.0.1:1`;
    await using failing = start(
      on,
      ["--allow-net", "--allow-run"],
      ["relay", "--map", map, ...TRUST, "--workers", "2"],
    );
    const { code, err } = await failing.ended();
    assertEquals(code, 1);
    assertMatch(err, /^Cannot listen on \S+: Address already in use/);
    assertMatch(err, /\nCannot start a worker: it ended with code 1\n$/);
  },
  Deno.build.os !== "linux",
);

test(
  "relay --workers leaves no worker behind when it is killed",
  async (on) => {
    using service = listen();
    const { cli, port } = await workersTo(on, service);
    await using _ = cli;
    Deno.kill(cli.pid, "SIGKILL");
    await untilRefused(port);
    assertEquals((await cli.ended()).code, 128 + 9);
  },
  Deno.build.os !== "linux",
);
