import type { Ends } from "../_ends.ts";
import type { Facts } from "../_facts.ts";
import type { ProxiedConn } from "../proxied_conn.ts";

/** A connection of the public listener. */
export type FrontConn = ProxiedConn<Deno.TcpConn | Deno.UnixConn>;

/** Whom the requests of a connection are from. */
export interface Client extends Facts {
  shown: Ends;
}

/** Returns the client of a connection. */
export function clientOf(conn: FrontConn): Client {
  const { info, hopAddr: hop, remoteAddr, localAddr } = conn;
  const shown = { remoteAddr, localAddr };
  return { info, hop, shown, isAwaited: false, conn };
}
