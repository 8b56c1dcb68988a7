/**
 * Judges whose header each request has: serves requests whose path says who has
 * sent them, from a process of its own, in any way that a client may come and go.
 * Prints what it has seen: `_identity.ts CONNECTIONS [unix]`.
 */

import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { type BunPlainServer, proxyInfo } from "../../../../conn/bun.ts";
import { addressOf, serve } from "./_kit.ts";

/** What a run has seen. */
export interface Verdict {
  /** Requests whose sender and header were compared. */
  judged: number;
  /** Those that differed, and requests of strangers. */
  wrong: string[];
  /** Requests whose connection was closed when they were judged again. */
  aborted: number;
  /** What the clients have seen. */
  clients: ClientVerdict;
}

/** What the clients have seen. */
export interface ClientVerdict {
  /** Answers to whom they were meant for. */
  answered: number;
  /** Those to somebody else. */
  wrong: string[];
  /** Requests without an answer where there ought to be one. */
  lost: number;
  /** Strangers that were answered 403. */
  forbidden: number;
}

const [connections = "", kind] = process.argv.slice(2);
const unix = join(tmpdir(), `identity-${process.pid}.sock`);
const wrong: string[] = [];
const verdict = { judged: 0, wrong, aborted: 0 };

/** Compares the sender of a request with its header. */
function judge(request: Request, server: BunPlainServer): void {
  const { pathname } = new URL(request.url);
  const { hostname, port } = addressOf(Number(pathname.slice(1)));
  const ip = server.requestIP(request);
  const source = proxyInfo(request)?.source;
  const isRight = ip?.address === hostname && ip.port === port &&
    source !== undefined && "port" in source &&
    source.hostname === hostname && source.port === port;
  verdict.judged++;
  if (!isRight) wrong.push(`${pathname} ${JSON.stringify(ip)}`);
}

/** Answers later, when the connection may be gone. */
async function answerLater(
  request: Request,
  server: BunPlainServer,
): Promise<Response> {
  const number = verdict.judged;
  if (number % 3 === 0) await Promise.resolve();
  if (number % 5 === 0) await setTimeout(number % 50);
  if (number % 7 === 0) await request.text().catch(() => {});
  judge(request, server);
  if (request.signal.aborted) verdict.aborted++;
  return new Response(new URL(request.url).pathname);
}

await using served = serve({
  ...(kind === "unix" && { unix }),
  fetch(request, server) {
    judge(request, server);
    const { pathname, search } = new URL(request.url);
    // Bun closes a connection on which a request comes before an answer that is late.
    return search === "?now"
      ? new Response(pathname)
      : answerLater(request, server);
  },
  proxy: { maxPending: 1e6, timeout: 60_000, onReject() {} },
});

const script = new URL("_identity_clients.ts", import.meta.url).pathname;
const outer = kind === "unix" ? unix : `${served.port}`;
const child = spawn(process.execPath, [
  ...[script, outer, `${served.innerPort}`, connections],
], { stdio: ["ignore", "pipe", "inherit"] });
let output = "";
child.stdout.on("data", (chunk) => output += chunk);
await new Promise((resolve) => child.on("close", resolve));
const clients: ClientVerdict = JSON.parse(output);
console.log(JSON.stringify({ ...verdict, clients } satisfies Verdict));
