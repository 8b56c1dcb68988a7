/**
 * Takes and gives 200 MB, bare or behind headers, by itself: it prints its port
 * and ends with its input.
 *
 * @module
 */

import { QUIET, serve } from "./_kit.ts";

/** How much is sent, in bytes. */
const LENGTH = 200_000_000;

/** What has been read or produced so far, in bytes. */
let count = 0;

/** Reads slowly at first: the client is to wait. */
async function read(body: ReadableStream<Uint8Array>): Promise<void> {
  for await (const chunk of body) {
    if (count < 2_000_000) await new Promise((r) => setTimeout(r, 20));
    count += chunk.length;
  }
}

function produce(): ReadableStream<Uint8Array> {
  count = 0;
  return new ReadableStream({
    pull(controller) {
      if (count >= LENGTH) return controller.close();
      controller.enqueue(new Uint8Array(50_000));
      count += 50_000;
    },
  });
}

async function handler({ url, body }: Request): Promise<Response> {
  const { pathname } = new URL(url);
  if (pathname === "/count") return new Response(String(count));
  if (pathname === "/download") return new Response(produce());
  count = 0;
  if (body !== null) await read(body);
  return new Response(String(count));
}

const isBare = Deno.args[0] === "bare";
const server = isBare ? Deno.serve(QUIET, handler) : serve(handler);
console.log(server.addr.port);
for await (const _bytes of Deno.stdin.readable);
Deno.exit();
