/** Whom servers believe, on every runtime: the same decisions, and no other. */

import { assertEquals } from "@std/assert";
import { encode } from "../../mod.ts";
import { concat, utf8 } from "../_bytes.ts";
import { Client } from "./bun/_client.ts";
import { run } from "./bun/_run.ts";
import { HAS_IPV6 } from "../conn/_loopback.ts";
import { CLIENT } from "../conn/_peers.ts";
import { expectedDecisions } from "../conn/_trust_cases.ts";
import { startWorkerd } from "./workerd/_workerd.ts";
import { type Exchange, play, type Told } from "./_play.ts";
import { HOSTS, RUNTIMES } from "./_servers.ts";
import type { Service, ServiceOptions } from "./_service.ts";
import { bunProgram, nodeProgram } from "../_npm.ts";

const DECIDE = new URL("_decide.ts", import.meta.url).pathname;

const COMMANDS: Record<string, [string, ...string[]]> = {
  Deno: [Deno.execPath(), "run", "-A", "--no-lock", "--quiet", DECIDE],
  Bun: [bunProgram(), "run", DECIDE],
  "node 24": [nodeProgram(), DECIDE],
};

for (const [runtime, command] of Object.entries(COMMANDS)) {
  Deno.test(`trust is decided as everywhere on ${runtime}`, async () => {
    assertEquals((await run(command)).stdout, expectedDecisions());
  });
}

Deno.test("trust is decided as everywhere on workerd", async () => {
  const options = { trust: "any", untrusted: "direct" } as const;
  await using workerd = await startWorkerd({ all: { role: "trust", options } });
  using client = await Client.dial(workerd.ports.get("all") ?? 0);
  await client.send("PROXY UNKNOWN\r\n");
  const told = new TextDecoder().decode(await client.receiveAll());
  assertEquals(told, expectedDecisions());
});

/** Peers, by how they dial a listener of both families. */
const PEERS = {
  "127.0.0.1": { host: "127.0.0.1" },
  "127.0.0.2": { host: "127.0.0.1", localAddress: "127.0.0.2" },
  "::1": { host: "::1" },
};

/** Lists, and the peers that they believe. */
const LISTS: [trust: string[], believed: (keyof typeof PEERS)[]][] = [
  [["127.0.0.1"], ["127.0.0.1"]],
  [["127.0.0.2/32"], ["127.0.0.2"]],
  [["127.0.0.0/8"], ["127.0.0.1", "127.0.0.2"]],
  [["0.0.0.0/0"], ["127.0.0.1", "127.0.0.2"]],
  [["::FFFF:127.0.0.1"], ["127.0.0.1"]],
  [["::ffff:7f00:0/104"], ["127.0.0.1", "127.0.0.2"]],
  [["::/0"], ["::1"]],
  [["::1/128"], ["::1"]],
  [["0:0:0:0:0:0:0:1%lo"], ["::1"]],
  [["10.0.0.0/8", "::1", "127.0.0.2"], ["127.0.0.2", "::1"]],
  [["loopback"], ["127.0.0.1", "127.0.0.2", "::1"]],
  [["private"], []],
  [["unix"], []],
  [[], []],
];

const PAYLOAD = utf8("payload");
const SEEN: Told = {
  hostname: CLIENT.source.hostname,
  port: CLIENT.source.port,
};

const HEADERS: Readonly<Record<string, Uint8Array>> = {
  v1: encode({ version: 1, ...CLIENT }),
  v2: encode(CLIENT),
};

function exchange(
  header: Uint8Array,
  sees: Exchange["sees"],
  payload = PAYLOAD,
): Exchange {
  const pieces = [concat([header, PAYLOAD])];
  return { pieces, sees, payload, isSilent: sees === "nobody" };
}

for (const [runtime, start] of Object.entries(RUNTIMES)) {
  Deno.test({
    name: `a listener of both families believes whom it should on ${runtime}`,
    ignore: !HAS_IPV6,
    async fn(t) {
      const services = LISTS.map(([trust]): [string, Service] => [
        trust.join(),
        { hostname: "::", options: { trust } },
      ]);
      await using server = await start(Object.fromEntries(services));
      for (const [trust, believed] of LISTS) {
        const name = trust.join();
        await t.step(`trust: [${name}]`, async () => {
          const port = server.ports.get(name) ?? 0;
          for (const [peer, dialling] of Object.entries(PEERS)) {
            const sees = believed.some((one) => one === peer) ? SEEN : "nobody";
            for (const header of Object.values(HEADERS)) {
              await play({ ...dialling, port }, exchange(header, sees));
            }
          }
        });
      }
    },
  });
}

for (const [runtime, start] of Object.entries(RUNTIMES)) {
  Deno.test(`one listener has three ways: a hop, a direct peer, and nobody else, on ${runtime}`, async () => {
    const options = { trust: ["127.0.0.1"], untrusted: ["127.0.0.2"] };
    await using server = await start({ all: { options } });
    const { port } = server;
    for (const header of Object.values(HEADERS)) {
      const from = (localAddress: string) => ({
        host: "127.0.0.1",
        localAddress,
        port,
      });
      await play(from("127.0.0.1"), exchange(header, SEEN));
      await play(
        from("127.0.0.2"),
        exchange(header, "real", concat([header, PAYLOAD])),
      );
      await play(from("127.0.0.3"), exchange(header, "nobody"));
    }
  });
}

/** Section 2.2: v2, LOCAL, UNSPEC. */
const LOCAL = Uint8Array.from([
  ...[0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54],
  ...[0x0a, 0x20, 0x00, 0x00, 0x00],
]);

for (const [runtime, start] of Object.entries(RUNTIMES)) {
  Deno.test({
    name:
      `with unmap an IPv4 client has one name, whatever it comes by, on ${runtime}`,
    ignore: !HAS_IPV6,
    async fn() {
      const unmap = true;
      await using server = await start({
        hop: { hostname: "::", options: { trust: ["127.0.0.1"], unmap } },
        direct: {
          hostname: "::",
          options: { trust: [], untrusted: "direct", unmap },
        },
      });
      const from = (service: string) => ({
        host: "127.0.0.1",
        port: server.ports.get(service) ?? 0,
      });
      const line = utf8(
        "PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.1 1111 443\r\n",
      );
      const seen = { hostname: "192.0.2.1", port: 1111 };
      await play(from("hop"), exchange(line, seen));
      await play(from("hop"), exchange(LOCAL, "real"));
      const payload = concat([LOCAL, PAYLOAD]);
      await play(from("direct"), exchange(LOCAL, "real", payload));
    },
  });
}

for (const [runtime, start] of Object.entries(HOSTS)) {
  Deno.test(`a UNIX listener believes by unix alone on ${runtime}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      const paths = { believing: `${folder}/1`, doubting: `${folder}/2` };
      const everyone = ["0.0.0.0/0", "::/0"];
      await using _host = await start({
        believing: { path: paths.believing, options: { trust: ["unix"] } },
        doubting: { path: paths.doubting, options: { trust: everyone } },
      });
      for (const header of Object.values(HEADERS)) {
        await play(paths.believing, exchange(header, SEEN));
        await play(paths.doubting, exchange(header, "nobody"));
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** What becomes of a header, for each mode and kind of peer. */
const MODES: {
  name: string;
  options: ServiceOptions;
  expect: (header: Uint8Array) => Exchange;
}[] = (["require", "optional", "discard"] as const).flatMap((header) => [
  {
    name: `from a hop, header: ${header}`,
    options: { trust: ["127.0.0.1"], header },
    expect: (bytes) => exchange(bytes, header === "discard" ? "real" : SEEN),
  },
  {
    name: `forged, header: ${header}, untrusted: reject`,
    options: { trust: ["192.0.2.0/24"], header, untrusted: "reject" },
    expect: (bytes) => exchange(bytes, "nobody"),
  },
  {
    name: `forged, header: ${header}, untrusted: direct`,
    options: { trust: ["192.0.2.0/24"], header, untrusted: "direct" },
    // It is a payload like any other.
    expect: (bytes) => exchange(bytes, "real", concat([bytes, PAYLOAD])),
  },
]);

for (const [runtime, start] of Object.entries(RUNTIMES)) {
  Deno.test(`a forged header is never believed on ${runtime}`, async (t) => {
    const services = MODES.map(({ name, options }) => [name, { options }]);
    await using server = await start(Object.fromEntries(services));
    for (const { name, expect } of MODES) {
      for (const [version, header] of Object.entries(HEADERS)) {
        await t.step(`${version} ${name}`, async () => {
          const port = server.ports.get(name) ?? 0;
          await play(port, expect(header));
          const { pieces: [glued = header], ...rest } = expect(header);
          const singly = Array.from(glued, (byte) => Uint8Array.of(byte));
          await play(port, { ...rest, pieces: singly });
        });
      }
    }
  });
}
