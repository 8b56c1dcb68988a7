/** What listens on Deno itself. */

import { show } from "./_clients.js";

const KEYS = {
  key: Deno.readTextFileSync("key.pem"),
  cert: Deno.readTextFileSync("cert.pem"),
};
const PLACE = { hostname: "127.0.0.1", port: 0, onListen() {} };
const placeOf = ({ addr }) => ({ host: addr.hostname, port: addr.port });
const handler = (_, { remoteAddr }) => new Response(remoteAddr.hostname);

/** Each way to call it. */
const SERVED = {
  "Deno.serve": () => Deno.serve(PLACE, handler),
  "Deno.serve with its handler inside": () => Deno.serve({ ...PLACE, handler }),
  "Deno.serve with TLS": () => Deno.serve({ ...PLACE, ...KEYS }, handler),
};
for (const [name, serve] of Object.entries(SERVED)) {
  const server = serve();
  await show(name, placeOf(server), { tls: name.endsWith("TLS") });
  await server.shutdown();
}

async function greet(listener) {
  for await (const conn of listener) {
    await conn.write(new TextEncoder().encode(conn.remoteAddr.hostname));
    conn.close();
  }
}
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
greet(listener);
await show("Deno.listen", placeOf(listener));
listener.close();

const tls = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...KEYS });
greet(tls);
await show("Deno.listenTls", placeOf(tls), { tls: true, inside: true });
tls.close();
