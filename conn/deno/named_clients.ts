import { callsOfDeno } from "./calls.ts";
import { LOOPBACK } from "./loopback.ts";

/** An address that no connection here has. */
const CLAIMED = "192.0.2.1";

let answer: Promise<boolean> | undefined;

/**
 * Returns whether clients of Deno's HTTP servers may name their own address.
 *
 * With `DENO_TRUST_PROXY_HEADERS=1` Deno reads the address of a request from its
 * header `x-deno-client-address`. So a client could name the port of another
 * client's connection. The variable may not be readable, so this sends a request to
 * find out.
 */
export function mayClientsNameThemselves(): Promise<boolean> {
  answer ??= ask().catch((error) => {
    answer = undefined;
    throw error;
  });
  return answer;
}

async function ask(): Promise<boolean> {
  const path = `/${crypto.randomUUID()}`;
  const seen = Promise.withResolvers<boolean>();
  await using server = callsOfDeno().serve(
    { hostname: LOOPBACK, port: 0, onListen() {} },
    ({ url }, { remoteAddr }) => {
      const isOurs = url.endsWith(path);
      if (isOurs) seen.resolve(remoteAddr.hostname === CLAIMED);
      return new Response(null, { status: isOurs ? 204 : 403 });
    },
  );
  using conn = await callsOfDeno().connect({
    hostname: LOOPBACK,
    port: server.addr.port,
  });
  await conn.write(new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n` +
      `X-Deno-Client-Address: ${CLAIMED}:1\r\n\r\n`,
  ));
  return await seen.promise;
}
