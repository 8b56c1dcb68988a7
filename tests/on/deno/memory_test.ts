/** Whoever gets an info may do anything to its memory, on Deno. */

import { accept, proxied, type ProxiedConn, serve } from "../../../mod.ts";
import { KEY_PAIR } from "../bun/_client.ts";
import { assertOwnMemory, Outcomes, TIMEOUT } from "../_memory.ts";

const LISTENERS = {
  TCP: () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  TLS: () => Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...KEY_PAIR }),
};

const TRUST = ["127.0.0.1"];

/** Reads all of a connection. */
async function readAll(conn: ProxiedConn, outcomes: Outcomes): Promise<void> {
  const { hopAddr, info } = conn;
  const payload = new Uint8Array(await new Response(conn).arrayBuffer());
  outcomes.end(hopAddr, info, payload);
}

/** Attacks a listener behind `proxied`. */
async function attackProxied(
  listening: Deno.Listener<Deno.Conn>,
  isTls: boolean,
): Promise<void> {
  const outcomes = new Outcomes();
  const listener = proxied(listening, {
    trust: TRUST,
    timeout: TIMEOUT,
    onReject: outcomes.reject,
  });
  await using _server = serve(listener, (conn) => readAll(conn, outcomes));
  await assertOwnMemory(outcomes, portOf(listening), isTls);
}

/** Attacks a listener whose connections go to `accept`. */
async function attackAccept(
  listening: Deno.Listener<Deno.Conn>,
  isTls: boolean,
): Promise<void> {
  const outcomes = new Outcomes();
  using listener = listening;
  const serving = (async () => {
    for await (const native of listener) {
      accept(native, { trust: TRUST, timeout: TIMEOUT }).then(
        async ({ conn }) => {
          using _conn = conn;
          await readAll(conn, outcomes);
        },
      ).catch(outcomes.reject);
    }
  })();
  await assertOwnMemory(outcomes, portOf(listening), isTls);
  listener.close();
  await serving;
}

function portOf({ addr }: Deno.Listener): number {
  return "port" in addr ? addr.port : 0;
}

Deno.test("proxied() and accept() do not mind what becomes of an info or an error", async () => {
  // All at once, since each waits for deadlines.
  await Promise.all(
    Object.entries(LISTENERS).flatMap(([carrier, listen]) =>
      [attackProxied, attackAccept].map((attack) =>
        attack(listen(), carrier === "TLS")
      )
    ),
  );
});
