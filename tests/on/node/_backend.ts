/** Backends that are told of clients, and proxies in front of them that tell. */

import assert from "node:assert/strict";
import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import { proxied } from "../../../conn/node.ts";
import { type Client, dial, KEY_PAIR, listening, TRUST } from "./_kit.ts";

/** A backend behind PROXY headers. */
export interface Backend {
  port: number;
  /** Its connections, in the order in which they came. */
  sockets: ReadonlySet<Socket>;
}

/** Serves a backend that answers with the client it is told of, while `work` runs. */
export async function withBackend(
  protocol: "http" | "https",
  work: (backend: Backend) => Promise<void>,
): Promise<void> {
  const sockets = new Set<Socket>();
  const answer = ({ socket }: IncomingMessage, response: ServerResponse) => {
    sockets.add(socket);
    response.end(`told ${socket.remoteAddress};`);
  };
  const server = protocol === "http"
    ? createHttpServer(answer)
    : createHttpsServer(KEY_PAIR, answer);
  await listening(proxied(server, { trust: TRUST }), async (port) => {
    await work({ port, sockets });
    for (const socket of sockets) socket.destroy();
  });
}

/** Serves a proxy behind PROXY headers, while `work` runs. */
export async function withProxy(
  pass: (request: IncomingMessage, response: ServerResponse) => void,
  work: (port: number) => Promise<void>,
): Promise<void> {
  const server = createHttpServer(pass);
  await listening(proxied(server, { trust: TRUST }), work);
}

/** Makes a kept connection to a proxy, as a client. */
export async function dialAs(port: number, address: string): Promise<Client> {
  return await dial(port, `PROXY TCP4 ${address} 198.51.100.9 51234 80\r\n`);
}

/** Sends a request, and waits for what the backend is told of its client. */
export async function told(client: Client, path = "/"): Promise<string> {
  const before = countOf(client, ";");
  await client.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  const text = await client.until(";", before + 1);
  const last = text.slice(text.lastIndexOf("\n", text.lastIndexOf(";")) + 1);
  assert.match(last, /^told [\d.]+;/, text);
  return last.slice("told ".length, last.indexOf(";"));
}

function countOf(client: Client, text: string): number {
  return client.received.toString().split(text).length - 1;
}
