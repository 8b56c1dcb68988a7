/** The server of the scenarios on Deno: tells its port, then serves. */

import { proxied, serve } from "../../mod.ts";
import { OPTIONS } from "./_options.ts";
import { tell } from "./_script.ts";

const tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
serve(proxied(tcp, OPTIONS), async (conn) => {
  const { remoteAddr } = conn;
  const told = "path" in remoteAddr
    ? { hostname: null, port: null }
    : { hostname: remoteAddr.hostname, port: remoteAddr.port };
  await conn.write(new TextEncoder().encode(JSON.stringify(told) + "\n"));
  await conn.pipeTo(conn.writable);
});
tell(tcp.addr.port);
