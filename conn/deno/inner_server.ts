import { callsOfDeno } from "./calls.ts";
import { LOOPBACK } from "./loopback.ts";
import type { ServeOptions } from "./options.ts";

/** The internal server, which answers what the links bring. */
export type InnerServer = Deno.HttpServer<Deno.NetAddr>;

/**
 * Checks that the internal server may be reached.
 *
 * @throws {TypeError} on a runtime other than Deno.
 * @throws {Deno.errors.NotCapable} if it may not.
 */
export function checkPermission(): void {
  callsOfDeno(); // says what is wrong on other runtimes
  const { state } = Deno.permissions.requestSync({
    name: "net",
    host: LOOPBACK,
  });
  if (state === "granted") return;
  throw new Deno.errors.NotCapable(
    `Cannot serve: requires net access to "${LOOPBACK}" besides the public address, for an internal server on any port; add ${LOOPBACK} to --allow-net`,
  );
}

/**
 * Starts the internal server, on a free port.
 *
 * @throws {Error} if it does not listen on loopback.
 */
export function serveInside(
  { inner, tcpBacklog }: Pick<ServeOptions, "inner" | "tcpBacklog">,
  signal: AbortSignal,
  handler: Deno.ServeHandler<Deno.NetAddr>,
): InnerServer {
  const options: Deno.ServeTcpOptions = {
    ...inner,
    hostname: LOOPBACK,
    port: 0,
    tcpBacklog,
    signal,
    onListen() {},
  };
  const server = callsOfDeno().serve(options, handler);
  const { transport, hostname } = server.addr;
  if (transport === "tcp" && hostname === LOOPBACK) return server;
  server.shutdown();
  throw new Error(
    `Cannot serve: expected an internal server on ${LOOPBACK}, Deno has opened it elsewhere`,
  );
}
