/**
 * The PROXY protocol for programs that you cannot change. Load this module
 * before the program:
 *
 * ```sh
 * export PROXY_PROTOCOL_TRUST=10.0.0.0/8
 * node --import @edgewire/proxy-protocol/register app.js
 * bun --preload @edgewire/proxy-protocol/register app.ts
 * deno run -A --preload npm:@edgewire/proxy-protocol/register app.ts
 * ```
 *
 * The program is unchanged, and sees its clients:
 *
 * ```ts ignore
 * // app.ts
 * import { createServer } from "node:http";
 *
 * createServer((request, response) => {
 *   response.end(`hello ${request.socket.remoteAddress}\n`); // 192.0.2.7
 * }).listen(8080);
 * ```
 *
 * These listeners then expect a PROXY header: servers of `node:net`,
 * `node:tls`, `node:http`, `node:https` and `node:http2` on all three runtimes,
 * `Bun.serve`, `Bun.listen`, `Deno.serve`, `Deno.listen` and `Deno.listenTls`.
 * For each of them a line is printed on standard error. The first rejected
 * connection of each kind is printed as well.
 *
 * | variable | value | default |
 * | --- | --- | --- |
 * | `PROXY_PROTOCOL_TRUST` | addresses and ranges of your proxies, `loopback`, `private`, `unix`, separated by commas; or `any`; or `none` | required |
 * | `PROXY_PROTOCOL_PORTS` | ports that your proxies connect to, separated by commas | all ports |
 * | `PROXY_PROTOCOL_UNTRUSTED` | `reject`, `direct`, or addresses that are served directly | `reject` |
 * | `PROXY_PROTOCOL_HEADER` | `require`, `optional` or `discard` | `require` |
 * | `PROXY_PROTOCOL_TIMEOUT` | ms until the header must have arrived, or `Infinity` | `5000` |
 * | `PROXY_PROTOCOL_UNMAP` | `true` shows `::ffff:192.0.2.1` as `192.0.2.1` | `false` |
 * | `PROXY_PROTOCOL_LAZY` | `true` lets servers of `node:net`, `Bun.listen` and `Deno.listen` greet before the header has arrived | `false` |
 * | `PROXY_PROTOCOL_MAX_PENDING` | connections that may wait for their header | `1024` |
 *
 * The variables mean what the options of `proxied` mean. The program does not
 * start without `PROXY_PROTOCOL_TRUST`, with a wrong value, or with any other
 * variable that begins with `PROXY_PROTOCOL_`. An empty value is also wrong.
 *
 * Which listeners are included:
 *
 * - The header is expected before TLS. `Deno.listenTls` expects it inside TLS,
 *   because Deno cannot begin TLS later.
 * - `PROXY_PROTOCOL_PORTS` has the ports that the program asks for. A port that
 *   the system chooses (0) never matches the list. A listener by `listen({ fd })`
 *   is always included.
 * - UNIX sockets are included if `PROXY_PROTOCOL_TRUST` names `unix`, whatever the
 *   ports are.
 * - A server that the program itself has wrapped with `proxied` or `serveHttp`
 *   stays as it is. Do not use this module with a program that calls `accept`.
 *
 * If the program uses one of the following, it ends with exit code 1 and a
 * message:
 *
 * - UDP on a port of the list. Without a list, UDP on any port but 0. HTTP/3 of
 *   `Bun.serve` is a TypeError.
 * - On Deno, a worker, and a process of `node:cluster`. On Bun, a `Worker` that is
 *   imported by name from `node:worker_threads`. All other workers of Bun and all
 *   threads and cluster processes of Node and Bun load this module.
 * - A server that has listened on a port of the list, and then listens on another.
 * - `Deno.serve` that `DENO_SERVE_ADDRESS` moves to or from a port of the list. With
 *   `DENO_TRUST_PROXY_HEADERS=1` it serves nobody, since clients could choose their
 *   address.
 *
 * Two cases cannot be detected. `deno serve` ignores `--preload`, so run
 * `deno run` with a program that calls `Deno.serve`. Other programs that the program
 * starts load this module only by `NODE_OPTIONS` or by an argument of their own.
 *
 * Deno needs `--allow-env`. With `--allow-env=PROXY_PROTOCOL_*` alone, a misspelt
 * variable is not noticed.
 *
 * @module
 */

import { coverBun } from "./register/bun.ts";
import { coverDeno } from "./register/deno.ts";
import { coverNode } from "./register/node.ts";
import { end, Rules } from "./register/rules.ts";
import { readVariables, type Settings } from "./register/variables.ts";
import { coverWorkers } from "./register/workers.ts";

/** Says that the process has loaded this, whichever copy of the package it was. */
const REGISTERED = Symbol.for("@edgewire/proxy-protocol/register");

if (!Reflect.has(globalThis, REGISTERED)) {
  Reflect.set(globalThis, REGISTERED, true);
  const rules = new Rules(settings());
  coverNode(rules);
  coverBun(rules);
  coverDeno(rules);
  coverWorkers(import.meta.url);
}

/** Of the environment. Without it nothing starts: no listener may be open to anyone. */
function settings(): Settings {
  try {
    return readVariables();
  } catch (error) {
    return end(error instanceof Error ? error.message : String(error));
  }
}
