/**
 * Every version that tests, CI and the README rely on, each once.
 * `versions_test.ts` compares what cannot import them, such as workflows.
 */

/** What `npx` starts, and what CI installs. */
export const DENO = "2.9.6";
export const BUN = "1.4.5";
export const NODE = "24.21.0";

/** The oldest Node that is supported. */
export const OLDEST_NODE = "22.18.0";

/** What bundles, and what runs a Worker. */
export const ESBUILD = "esbuild@0.28.2";
export const WORKERD = "workerd@1.20261117.1";

/** The last TypeScript that is written in itself, and the native one. */
export const TYPESCRIPT_IN_ITSELF = "typescript@5.9.3";
export const TYPESCRIPT = "typescript@7.0.2";

/** What checks a package for npm: its files and entry points, and its types. */
export const PUBLINT = "publint@0.3.25";
export const ATTW = "@arethetypeswrong/cli@0.18.5";

/** Types of runtimes. */
export const BUN_TYPES = `bun-types@${BUN}`;
export const WORKERS_TYPES = "@cloudflare/workers-types@5.20261117.1";
export const NODE_TYPES = "@types/node@24.19.2";

/** Frameworks that are served behind `proxied()`. */
export const DUPLEXIFY = "duplexify@4.1.3";
export const ELYSIA = "elysia@1.4.30";
export const EXPRESS = "express@5.3.0";
export const EXPRESS_TYPES = "@types/express@5.0.6";
export const FASTIFY = "fastify@5.12.8";
export const HONO = "hono@4.13.19";
export const HONO_NODE_SERVER = "@hono/node-server@2.1.9";
export const KOA = "koa@3.3.0";
export const SRVX = "srvx@1.0.8";

/** What sends requests to a backend. */
export const HTTP_PROXY = "http-proxy@1.18.1";
export const HTTP_PROXY_TYPES = "@types/http-proxy@1.17.17";
export const HTTPXY = "httpxy@0.5.6";
export const UNDICI = "undici@8.13.1";

/** Applications that are served behind `proxied()`, and their clients. */
export const APPLICATIONS: readonly string[] = [
  "@grpc/grpc-js@1.14.7",
  "@socket.io/sticky@2.0.1",
  "aedes@1.2.0",
  "basic-ftp@6.2.6",
  "ftp-srv@4.6.3",
  "mqtt@5.16.0",
  "mysql2@3.24.6",
  "nodemailer@10.6.1",
  "peer@1.0.2",
  "smtp-server@3.21.6",
  "socket.io-client@4.8.4",
  "socket.io@4.8.4",
  "ssh2@1.17.0",
  "ws@8.23.0",
];

/** Programs that `./register` is loaded before. */
export const UNCHANGED: readonly string[] = [
  "@apollo/server@5.5.1",
  "graphql@16.15.0",
  ...[ELYSIA, HONO],
  "ftp-srv@4.6.3",
  "http-server@14.1.1",
  "peer@1.0.2",
];

/** The other libraries of the bench: a ratio is to something that stays as it is. */
export const BENCH_PEERS: readonly string[] = [
  "proxy-protocol-js@4.0.6",
  "@balena/proxy-protocol-parser@1.0.2",
  "findhit-proxywrap@0.3.13",
  "aedes-protocol-decoder@2.2.0",
];

/** What recipes count, trace and log with. */
export const PROM_CLIENT = "prom-client@15.1.3";
export const OPENTELEMETRY: readonly string[] = [
  "@opentelemetry/api@1.9.1",
  "@opentelemetry/sdk-metrics@2.12.1",
  "@opentelemetry/sdk-trace-base@2.12.1",
];
export const PINO = "pino@10.4.0";
