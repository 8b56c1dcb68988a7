/** Answers requests by `Deno.serve`, or by `serveHttp`. */

import { serveHttp } from "../../conn/deno.ts";
import { isOurs, OPTIONS, serveAt } from "./_server.ts";

const options = {
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }: { port: number }) => serveAt(port),
};
const handler = () => new Response("hello\n");
if (isOurs) serveHttp({ ...options, proxy: OPTIONS }, handler);
else Deno.serve(options, handler);
