import type { Socket } from "node:net";
import { connect, TLSSocket } from "node:tls";
import { type Facts, remember } from "../_facts.ts";
import { joinBuffered } from "./join_buffered.ts";
import { showOn } from "./show.ts";
import type { NodeUpgradeOptions } from "./types.ts";

/** Begins TLS on a socket, with the bytes it has buffered. The TLS socket shows the client. */
export function beginTls(
  socket: Socket,
  options: NodeUpgradeOptions,
  facts: Facts | undefined,
): TLSSocket {
  joinBuffered(socket);
  const tls = options.isServer === false
    ? connect({ ...options, socket })
    : new TLSSocket(socket, { ...options, isServer: true });
  if (facts !== undefined) {
    remember(tls, facts);
    if (facts.shown !== undefined) showOn(tls, facts.shown);
  }
  // A failed handshake closes only its connection.
  const established = options.isServer === false ? "secureConnect" : "secure";
  tls.on("error", ignore);
  tls.once(established, () => tls.off("error", ignore));
  socket.on("error", ignore); // TLS emits them
  return tls;
}

function ignore(): void {}
