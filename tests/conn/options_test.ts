/** Options that are no plain object, at every entry point: a lost `verify` must let nobody in. */

import { createServer, Socket } from "node:net";
import { assertEquals, assertRejects } from "@std/assert";
import * as bun from "../../conn/bun.ts";
import * as deno from "../../conn/deno.ts";
import * as node from "../../conn/node.ts";
import { accept, type ListenerOptions, proxied } from "../../mod.ts";
import { tcpPair, TRUST } from "./_loopback.ts";
import { listen } from "./_peers.ts";

/** What a connection is let in by, at each entry point. */
const ENTRY_POINTS: Record<
  string,
  (options: ListenerOptions) => Promise<unknown>
> = {
  "accept()": async (options) => {
    using pair = await tcpPair();
    await accept(pair.server, options);
  },
  "proxied()": async (options) => {
    using listener = listen();
    await Promise.resolve(proxied(listener, options));
  },
  "proxied() of ./bun": async (options) => {
    await Promise.resolve(Reflect.apply(bun.proxied, undefined, [{}, options]));
  },
  "serveHttp() of ./deno": async (proxy) => {
    const given = { hostname: "127.0.0.1", port: 0, proxy };
    const handler = () => new Response();
    await Promise.resolve(
      Reflect.apply(deno.serveHttp, undefined, [given, handler]),
    );
  },
  "accept() of ./node": async (options) => {
    const socket = new Socket();
    await Reflect.apply(node.accept, undefined, [socket, options]);
  },
  "proxied() of ./node": async (options) => {
    await Promise.resolve(
      Reflect.apply(node.proxied, undefined, [createServer(), options]),
    );
  },
};

class Admit implements ListenerOptions {
  trust = TRUST;
  verify(): boolean {
    return false;
  }
}

const NOT_PLAIN: Record<string, ListenerOptions> = {
  "an instance": new Admit(),
  "an object that inherits": Object.create({
    trust: TRUST,
    verify: () => false,
  }),
  "an object that inherits trust alone": Object.assign(
    Object.create({ trust: TRUST }),
    { verify: () => false },
  ),
};

for (const [entry, open] of Object.entries(ENTRY_POINTS)) {
  for (const [what, options] of Object.entries(NOT_PLAIN)) {
    Deno.test(`${entry} throws for options that are ${what}`, async () => {
      const error = await assertRejects(() => open(options), TypeError);
      assertEquals(error.message.includes("plain object"), true);
    });
  }
  Deno.test(`${entry} throws for an unknown option, also an inherited one`, async () => {
    const misspelt = { trust: TRUST, verfiy: () => false };
    await assertRejects(() => open(misspelt), TypeError, 'mean "verify"?');
    const inherited = Object.assign(Object.create({ verfiy: () => false }), {
      trust: TRUST,
    });
    await assertRejects(() => open(inherited), TypeError);
  });
  Deno.test(`${entry} throws for a verify or onReject that cannot be called`, async () => {
    for (const name of ["verify", "onReject"]) {
      const wrong = { trust: TRUST, [name]: "yes" };
      await assertRejects(
        () => open(wrong),
        TypeError,
        `Cannot read ${name}: expected a function, received "yes"`,
      );
    }
  });
}

for (const [entry, open] of Object.entries(ENTRY_POINTS)) {
  Deno.test(`${entry} ${isOfNode(entry) ? "knows" : "does not know"} the option encrypted`, async () => {
    const options = { trust: TRUST, encrypted: "yes" };
    await assertRejects(
      () => open(options),
      TypeError,
      isOfNode(entry)
        ? 'Cannot read encrypted: expected true or false, received "yes"'
        : 'unknown option "encrypted"',
    );
  });
}

function isOfNode(entry: string): boolean {
  return entry.endsWith("./node");
}

Deno.test("options without a prototype are plain", () => {
  using listener = listen();
  const options = Object.assign(Object.create(null), { trust: TRUST });
  assertEquals(proxied(listener, options).stats.accepted, 0);
});
