/** The services on Deno. */

import { proxied, type ProxiedConn, relay, serve } from "../../../mod.ts";
import { KEY_PAIR } from "../bun/_client.ts";
import { host } from "../_host.ts";
import { seeConn } from "../_seen.ts";
import { type Service, withFarewell } from "../_service.ts";

async function tell(conn: ProxiedConn, { watched }: Service): Promise<void> {
  const { remoteAddr } = conn;
  const told = "path" in remoteAddr
    ? { hostname: null, port: null }
    : { hostname: remoteAddr.hostname, port: remoteAddr.port };
  await conn.write(new TextEncoder().encode(JSON.stringify(told) + "\n"));
  const payload = watched ? conn.pipeThrough(withFarewell()) : conn;
  await payload.pipeTo(conn.writable);
}

function listen(
  { hostname = "127.0.0.1", path, kind }: Service,
): Deno.Listener {
  if (kind === "tls") return Deno.listenTls({ hostname, port: 0, ...KEY_PAIR });
  return path === undefined
    ? Deno.listen({ hostname, port: 0 })
    : Deno.listen({ transport: "unix", path });
}

// Deno opens the files of its signals half a second after its start: now, so
// that files can be counted.
const ignore = () => {};
Deno.addSignalListener("SIGUSR1", ignore);
Deno.removeSignalListener("SIGUSR1", ignore);

await host<ProxiedConn>(seeConn, (service, hooks) => {
  const { relayTo } = service;
  const listener = proxied(listen(service), hooks.options);
  const pass = async (conn: ProxiedConn, port: number) => {
    const dial = () => Deno.connect({ hostname: "127.0.0.1", port });
    const { sent, received, error } = await relay(conn, dial, { send: 2 });
    hooks.onRelayed({ sent, received, hasFailed: error !== undefined });
  };
  serve(listener, (conn) => {
    hooks.onServed(conn, service.options.lazy ? conn.ready : undefined);
    return relayTo === undefined ? tell(conn, service) : pass(conn, relayTo);
  });
  const { addr, stats } = listener;
  return {
    port: "port" in addr ? addr.port : 0,
    stats,
    close: () => listener.close(),
  };
});
