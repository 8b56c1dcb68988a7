/** Answers requests by `Bun.serve`, or by `serveHttp`. */

import { serveHttp } from "../../conn/bun.ts";
import { isOurs, OPTIONS, serveAt } from "./_server.ts";

declare const Bun: {
  serve(options: object): { readonly port: number };
};

const options = {
  hostname: "127.0.0.1",
  port: 0,
  fetch: () => new Response("hello\n"),
};
const { port } = isOurs
  ? serveHttp({ ...options, proxy: OPTIONS })
  : Bun.serve(options);
serveAt(port);
