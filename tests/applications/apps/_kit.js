/**
 * What the applications share.
 *
 * @typedef {object} Stage What an application is served with.
 * @property {(server: object, options?: object) => object} wrap
 *   Puts a server behind the PROXY protocol, or leaves it as it is.
 * @property {(socket: object) => Promise<unknown>} ready
 *   Waits for the header of a socket that was handed over before it.
 * @property {(address: unknown) => void} see
 *   Reports the address that the application sees of its client.
 *
 * @typedef {object} Case One way to serve an application.
 * @property {(stage: Stage) => Promise<number>} serve
 *   Serves it; the port on which it listens.
 * @property {(port: number, client: Client) => Promise<void>} ask
 *   Uses it by a real client, and rejects if it does not do what it should.
 * @property {boolean} [isGreeting]
 *   Whether it speaks first: then the header does not wait for the client.
 * @property {number} [attempts]
 *   How often the client tries, where the application fails by chance, also
 *   without the library.
 * @property {string} [fault]
 *   One of `faults.js`: it does not work on runtimes that have it.
 *
 * @typedef {object} Client What a client is told.
 * @property {string} address The address that the application should see.
 * @property {(port: number) => number | Promise<number>} balance
 *   Puts the balancer, if there is one, before another port.
 */

import { once } from "node:events";
import { readFileSync } from "node:fs";

/** Certificate of `localhost` with its key. */
export const KEY_PAIR = {
  cert: readFileSync(new URL("cert.pem", import.meta.url)),
  key: readFileSync(new URL("key.pem", import.meta.url)),
};

/** What clients believe: the certificate above. */
export const CA = { ca: KEY_PAIR.cert, servername: "localhost" };

/** Listens on a free port. */
export async function listen(server) {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server.address().port;
}

/** Bytes that differ from place to place. */
export function pattern(length) {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 0xff;
  return bytes;
}

/** Waits for the result of a function with a callback. */
export function called(work) {
  return new Promise((resolve, reject) =>
    work((error, result) => error ? reject(error) : resolve(result))
  );
}
