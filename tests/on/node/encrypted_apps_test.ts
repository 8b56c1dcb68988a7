/** Express, Koa, Fastify and srvx behind a balancer that ends TLS, on each runtime. */

import { EXPRESS, FASTIFY, KOA, SRVX } from "../../_versions.ts";
import { runApp } from "./_npm_apps.ts";

const HEADERS = [
  "client bit",
  "certificate bits alone",
  "no SSL",
  "LOCAL with the client bit",
];

/** What each app says: `https` with the option, if the header has the bit. */
const APPS = ["express", "koa", "fastify", "srvx"].flatMap((app) =>
  [true, false].flatMap((encrypted) =>
    HEADERS.map((header) => {
      const isHttps = encrypted && header === "client bit";
      const told = isHttps ? "https, secure cookie" : "http, no cookie";
      return `${app}, ${encrypted}, ${header}: ${told}`;
    })
  )
);

/** Of the socket of a request, and of its session. */
const HTTP2 = [
  "http2, true, client bit: true true",
  "http2, true, no SSL: false false",
  "http2, false, client bit: false false",
  "http2, false, no SSL: false false",
];

Deno.test("proxied({ encrypted: true }) makes apps say https if the header says TLS", async (t) => {
  await runApp(t, {
    file: "_encrypted_apps.js",
    packages: [EXPRESS, FASTIFY, KOA, SRVX],
    expected: () => [...APPS, ...HTTP2, ""].join("\n"),
  });
});
