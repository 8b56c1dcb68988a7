/** What functions of the user's throw: somebody hears of it, and nothing ends. */

import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import {
  type ListenerOptions,
  proxied,
  ProxyProtocolError,
  serve,
} from "../../mod.ts";
import { holdConsole } from "./_console.ts";
import { TRUST } from "./_loopback.ts";
import { dial, HEADER, listen, receive, receiveText, send } from "./_peers.ts";

const MISTAKE = new Error("mistake");

function fail(): never {
  throw MISTAKE;
}

/** What is said when one peer has sent these bytes, and been rejected. */
async function saidOf(
  options: ListenerOptions,
  bytes: string | Uint8Array,
): Promise<readonly unknown[][]> {
  using held = holdConsole();
  using listener = proxied(listen(), options);
  const accepted = listener.accept().catch(() => {});
  using client = await dial(listener, bytes);
  assertEquals((await receive(client).catch(() => "")).length, 0);
  assertEquals(listener.stats.accepted, 0);
  listener.close();
  await accepted;
  return held.calls;
}

const OBSERVERS: Record<string, () => void> = {
  throws: fail,
  rejects: () => Promise.reject(MISTAKE),
};

for (const [fails, onReject] of Object.entries(OBSERVERS)) {
  Deno.test(`proxied() says by console.error that onReject ${fails}`, async () => {
    const said = await saidOf({ trust: TRUST, onReject }, "nonsense");
    assertEquals(said, [["onReject has failed:", MISTAKE]]);
  });
}

const FUNCTIONS: Record<string, { options: ListenerOptions; says: string }> = {
  "a trust": {
    options: { trust: fail },
    says: "the function trust has failed: mistake",
  },
  "an untrusted": {
    options: { trust: [], untrusted: fail },
    says: "the function untrusted has failed: mistake",
  },
  "a verify": {
    options: { trust: TRUST, verify: fail },
    says: "rejected by verify",
  },
  "an async verify": {
    options: { trust: TRUST, verify: () => Promise.reject(MISTAKE) },
    says: "rejected by verify",
  },
};

for (const [name, { options, says }] of Object.entries(FUNCTIONS)) {
  Deno.test(`proxied() without onReject says by console.error that ${name} throws`, async () => {
    const said = await saidOf(options, HEADER);
    const [[error] = []] = said;
    assertEquals(said.length, 1);
    assert(error instanceof ProxyProtocolError);
    assertStringIncludes(error.message, says);
    assertEquals(error.cause, MISTAKE);
  });

  Deno.test(`proxied() with onReject tells it alone that ${name} throws`, async () => {
    const told: unknown[] = [];
    const onReject = ({ cause }: ProxyProtocolError) => void told.push(cause);
    assertEquals(await saidOf({ ...options, onReject }, HEADER), []);
    assertEquals(told, [MISTAKE]);
  });
}

Deno.test("proxied() without onReject says nothing of what peers do", async () => {
  assertEquals(await saidOf({ trust: TRUST }, "nonsense"), []);
  assertEquals(await saidOf({ trust: [] }, HEADER), []);
  const refusing = { trust: TRUST, verify: () => false };
  assertEquals(await saidOf(refusing, HEADER), []);
});

Deno.test("serve() without onError says by console.error what a handler throws, and goes on", async () => {
  using held = holdConsole();
  let calls = 0;
  const server = serve(proxied(listen(), { trust: TRUST }), async (conn) => {
    if (calls++ === 0) throw MISTAKE;
    await send(conn, "fine");
  });
  using first = await dial(server, HEADER);
  assertEquals((await receive(first)).length, 0);
  using second = await dial(server, HEADER);
  assertEquals(await receiveText(second), "fine");
  await server.shutdown();
  assertEquals(held.calls, [[MISTAKE]]);
});

Deno.test("serve() says by console.error that onError throws", async () => {
  using held = holdConsole();
  const server = serve(proxied(listen(), { trust: TRUST }), () => {
    throw new Error("handler");
  }, { onError: fail });
  using client = await dial(server, HEADER);
  assertEquals((await receive(client)).length, 0);
  await server.shutdown();
  assertEquals(held.calls, [["onError has failed:", MISTAKE]]);
});

/** Serves a listener that fails at once. */
function serveFailing() {
  using listener = proxied(listen(), { trust: TRUST });
  return serve(
    {
      [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(MISTAKE) }),
      close: () => {},
      addr: listener.addr,
    },
    () => {},
  );
}

Deno.test("serve() says by console.error that its listener has failed, unless finished is awaited", async () => {
  using held = holdConsole();
  const awaited = serveFailing();
  await assertRejects(() => awaited.finished, Error, "mistake");
  assertEquals(held.calls, []);
  serveFailing();
  await new Promise((resolve) => setTimeout(resolve)); // all promises are settled by then
  assertEquals(held.calls, [[MISTAKE]]);
});

Deno.test("abort() of a server says nothing of the handlers that it ends", async () => {
  using held = holdConsole();
  const server = serve(
    proxied(listen(), { trust: TRUST }),
    (conn) => conn.pipeTo(conn.writable),
  );
  using client = await dial(server, HEADER);
  await send(client, "a");
  assertEquals(await client.read(new Uint8Array(1)), 1);
  await server.abort();
  assertEquals((await receive(client)).length, 0);
  assertEquals(held.calls, []);
});
