/** Sends and takes long bodies: `_bodies_server.ts ours|bare`; prints its port. */

import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { serveHttp } from "../../../../conn/bun.ts";

declare const Bun: { serve(options: object): { port: number } };

/** What a server says of itself. */
export interface Facts {
  /** Bytes of answers that were asked for so far. */
  produced: number;
  /** Bytes of bodies that were read so far. */
  consumed: number;
  /** Most memory that it has had, in bytes. */
  peak: number;
}

const facts: Facts = { produced: 0, consumed: 0, peak: 0 };
let isAwake = Promise.withResolvers<void>();
const chunk = new Uint8Array(1 << 16);

setInterval(() => {
  facts.peak = Math.max(facts.peak, process.memoryUsage.rss());
}, 10);

/** Reads the first of a body, and the rest when it is told to. */
async function take(request: Request): Promise<Response> {
  for await (const bytes of request.body ?? []) {
    facts.consumed += bytes.length;
    await isAwake.promise;
  }
  return new Response(`${facts.consumed}`);
}

/** Sends so many bytes, as fast as they are asked for. */
function give(length: number): Response {
  let left = length;
  const body = new ReadableStream({
    pull(controller) {
      controller.enqueue(chunk);
      facts.produced += chunk.length;
      left -= chunk.length;
      if (left <= 0) controller.close();
    },
  });
  return new Response(body);
}

const options = {
  hostname: "127.0.0.1",
  port: 0,
  maxRequestBodySize: 1 << 30,
  idleTimeout: 60,
  async fetch(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    if (pathname === "/take") return await take(request);
    if (pathname === "/give") return give(Number(search.slice(1)));
    if (pathname === "/wake") {
      isAwake.resolve();
      await setTimeout(0);
      isAwake = Promise.withResolvers();
      isAwake.resolve();
    }
    return Response.json(facts);
  },
};

const { port } = process.argv[2] === "ours"
  ? serveHttp({ ...options, proxy: { trust: "any" } })
  : Bun.serve(options);
console.log(port);
