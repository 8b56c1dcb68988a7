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

for (const [carrier, listen] of Object.entries(LISTENERS)) {
  Deno.test(`proxied() does not mind what becomes of an info or an error, over ${carrier}`, async () => {
    const outcomes = new Outcomes();
    const listener = proxied<Deno.Conn, Deno.NetAddr>(listen(), {
      trust: TRUST,
      timeout: TIMEOUT,
      onReject: outcomes.reject,
    });
    await using _server = serve(listener, (conn) => readAll(conn, outcomes));
    await assertOwnMemory(outcomes, listener.addr.port, carrier === "TLS");
  });

  Deno.test(`accept() does not mind what becomes of an info or an error, over ${carrier}`, async () => {
    const outcomes = new Outcomes();
    using listener: Deno.Listener<Deno.Conn> = listen();
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
    const { addr } = listener;
    const port = "port" in addr ? addr.port : 0;
    await assertOwnMemory(outcomes, port, carrier === "TLS");
    listener.close();
    await serving;
  });
}
