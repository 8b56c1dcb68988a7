/** accept() in a Worker, run by the real workerd on its `tcp` sockets. */

import { assert, assertEquals } from "@std/assert";
import { type Address, decode, encode } from "../../../mod.ts";
import { CAPTURES } from "../../_captures.ts";
import {
  assertBytes,
  Client,
  concat,
  gluedTo,
  pattern,
  utf8,
} from "../bun/_client.ts";
import { type Running, startWorkerd } from "./_workerd.ts";

const CLIENT = {
  source: { transport: "tcp", hostname: "192.0.2.1", port: 1111 },
  destination: { transport: "tcp", hostname: "198.51.100.1", port: 2222 },
} as const;
const HEADER = encode(CLIENT);
const PAYLOAD = pattern(1024 * 1024);

/** At most so many connections at once. */
const BATCH = 100;

const options = {
  trust: ["127.0.0.1"],
  mixedTcp6: true, // which some of the captures need
};
const SERVICES = {
  echo: { role: "echo", options },
  describe: { role: "describe", options },
  startTls: { role: "startTls", options },
  hasty: { role: "echo", options: { ...options, timeout: 1000 } },
  distrusting: { role: "echo", options: { trust: ["192.0.2.1"] } },
  direct: { role: "describe", options: { trust: [], untrusted: "direct" } },
} as const;

class Bench {
  readonly #workerd: Running;
  /** A connection that is served already. */
  readonly #other: Client;
  #pings = 0;

  constructor(workerd: Running, other: Client) {
    this.#workerd = workerd;
    this.#other = other;
  }

  dial(service: keyof typeof SERVICES): Promise<Client> {
    return dialService(this.#workerd, service);
  }

  refusal() {
    return this.#workerd.refusals.next("a refusal");
  }

  openFiles(): number {
    return this.#workerd.openFiles();
  }

  /**
   * Waits until workerd has read what was sent: it has one thread, and answers
   * another connection behind it.
   */
  async settle(): Promise<void> {
    await this.#other.send("x");
    await this.#other.receive(++this.#pings);
  }

  /** Sends pieces, each read by itself, and expects the echo of `length` bytes. */
  async exchange(pieces: Uint8Array[], payload: Uint8Array): Promise<void> {
    using client = await this.dial("echo");
    for (const [i, piece] of pieces.entries()) {
      if (i > 0) await this.settle();
      await client.send(piece);
    }
    client.end();
    assertBytes(await client.receiveAll(), payload);
  }
}

function dialService(
  { ports }: Running,
  service: keyof typeof SERVICES,
): Promise<Client> {
  const port = ports.get(service);
  assert(port);
  return Client.dial(port);
}

Deno.test("accept() on workerd", async (t) => {
  await using workerd = await startWorkerd(SERVICES);
  using other = await dialService(workerd, "echo");
  await other.send(HEADER);
  const bench = new Bench(workerd, other);
  for (const [name, scenario] of Object.entries(SCENARIOS)) {
    await t.step(`workerd: ${name}`, () => scenario(bench));
  }
});

const SCENARIOS: Record<string, (bench: Bench) => Promise<void>> = {
  async "each captured header, glued to its payload and alone"(bench) {
    for (const { id, header, payload } of CAPTURES) {
      const tail = concat([payload, utf8(`after ${id}`)]);
      await bench.exchange([concat([header, tail])], tail);
      await bench.exchange([header, tail], tail);
    }
  },

  async "each captured header, one byte at a time"(bench) {
    for (const { header } of CAPTURES) {
      const bytes = concat([header, utf8("payload")]);
      const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte));
      await bench.exchange(pieces, utf8("payload"));
    }
  },

  async "each captured header, split at each byte"(bench) {
    const payload = utf8("payload");
    for (const { header } of CAPTURES) {
      const cuts = Array.from(header.keys()).slice(1);
      for (let at = 0; at < cuts.length; at += BATCH) {
        const clients = await Promise.all(
          cuts.slice(at, at + BATCH).map(async (cut) => {
            const client = await bench.dial("echo");
            await client.send(header.subarray(0, cut));
            return { client, behind: header.subarray(cut) };
          }),
        );
        await bench.settle();
        await Promise.all(clients.map(async ({ client, behind }) => {
          await client.send(concat([behind, payload]));
          client.end();
          assertBytes(await client.receiveAll(), payload);
          client.close();
        }));
      }
    }
  },

  async "each captured header, glued to 1 MiB"(bench) {
    for (const { header } of CAPTURES) {
      await bench.exchange([concat([header, PAYLOAD])], PAYLOAD);
    }
  },

  async "the client from the header, the hop from opened"(bench) {
    using client = await bench.dial("describe");
    await client.send(HEADER);
    assertEquals(await describedTo(client), {
      version: 2,
      hopAddr: ends(client).local,
      remoteAddr: CLIENT.source,
      localAddr: CLIENT.destination,
    });
  },

  async "the real ends for LOCAL, UNKNOWN and direct peers"(bench) {
    for (
      const [service, header] of [
        ["describe", encode({ command: "LOCAL" })],
        ["describe", utf8("PROXY UNKNOWN\r\n")],
        ["direct", new Uint8Array()],
      ] as const
    ) {
      using client = await bench.dial(service);
      await client.send(header);
      const { local, remote } = ends(client);
      assertEquals(await describedTo(client), {
        ...(header.length > 0 && { version: decode(header)?.version }),
        hopAddr: local,
        remoteAddr: local,
        localAddr: remote,
      });
    }
  },

  async "wrong headers and untrusted peers are closed"(bench) {
    for (
      const [service, bytes, code] of [
        ["echo", "GET / HTTP/1.1\r\n\r\n", "signature"],
        ["echo", "PROXY TCP4 1.2.3.4 1.2.3.4 1 70000\r\n", "port"],
        ["distrusting", "", "untrusted"],
        ["hasty", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r", "timeout"],
      ] as const
    ) {
      using client = await bench.dial(service);
      await client.send(bytes);
      assertEquals((await client.receiveAll()).length, 0);
      const hop = ends(client).local;
      assertEquals(await bench.refusal(), { code, hop });
    }
  },

  async "a peer that closes early is empty or incomplete"(bench) {
    for (const [bytes, code] of [["", "empty"], ["PROXY", "incomplete"]]) {
      using client = await bench.dial("echo");
      await client.send(bytes ?? "");
      client.end();
      assertEquals((await client.receiveAll()).length, 0);
      assertEquals((await bench.refusal()).code, code);
    }
  },

  async "an idle connection lives past the timeout"(bench) {
    using client = await bench.dial("hasty");
    await client.send(HEADER);
    using _late = await bench.dial("hasty"); // its deadline is the later one
    assertEquals((await bench.refusal()).code, "timeout");
    await client.send("still there");
    assertBytes(await client.receive(11), utf8("still there"));
  },

  async "a silent peer and 200 bad headers hold up nobody"(bench) {
    using _silent = await bench.dial("echo");
    const bad = await Promise.all(
      Array.from({ length: 200 }, () => bench.dial("echo")),
    );
    for (const client of bad) client.stream.write("GET / HTTP/1.1\r\n\r\n");
    await bench.exchange([concat([HEADER, utf8("good")])], utf8("good"));
    for (const client of bad) {
      await client.receiveAll();
      assertEquals((await bench.refusal()).code, "signature");
      client.close();
    }
  },

  async "TLS by startTls() behind the header, glued and split"(bench) {
    for (const isGlued of [true, false]) {
      const plain = await bench.dial("startTls");
      plain.stream.removeAllListeners("data");
      if (!isGlued) {
        await plain.send(HEADER);
        await bench.settle();
      }
      const before = isGlued ? HEADER : new Uint8Array();
      using secure = await Client.dialTls(gluedTo(before, plain.stream));
      await secure.send(PAYLOAD);
      assertBytes(await secure.receive(PAYLOAD.length), PAYLOAD);
      plain.close();
    }
  },

  async "5,000 mixed connections leave no descriptor behind"(bench) {
    await mix(bench, 1);
    const before = await filesAtRest(bench);
    await mix(bench, 1250);
    assertEquals(await filesAtRest(bench), before);
  },
};

/** As many connections of each of four kinds. */
async function mix(bench: Bench, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await bench.exchange([concat([HEADER, utf8("good")])], utf8("good"));
    for (const bytes of ["GET / HTTP/1.1\r\n\r\n", "PROXY", ""]) {
      using client = await bench.dial("echo");
      await client.send(bytes);
      client.end();
      await client.receiveAll();
      await bench.refusal();
    }
  }
}

/** How many files are open once no more are closed between answers. */
async function filesAtRest(bench: Bench): Promise<number> {
  let last = Infinity;
  for (let still = 0; still < 10;) {
    await bench.settle();
    const now = bench.openFiles();
    still = now === last ? still + 1 : 0;
    last = now;
  }
  return last;
}

async function describedTo(client: Client): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await client.receiveAll()));
}

/** Both ends, as the client has them. */
function ends({ stream, port }: Client): Record<"local" | "remote", Address> {
  const remotePort = Number(Reflect.get(stream, "remotePort"));
  return {
    local: { transport: "tcp", hostname: "127.0.0.1", port },
    remote: { transport: "tcp", hostname: "127.0.0.1", port: remotePort },
  };
}
