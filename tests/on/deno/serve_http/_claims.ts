/** Clients of many addresses, each of whose requests says whose it is. */

import { connect } from "node:net";
import { concat, utf8 } from "../../../_bytes.ts";
import type { DenoHandler, DenoHandlerInfo } from "../../../../conn/deno.ts";
import { proxyInfo } from "../../../../conn/deno.ts";
import { headerOf, HOSTNAME, request } from "./_kit.ts";

/** How a client ends. */
export type End = "close" | "fin" | "reset";

/** What became of requests, as the server and the clients saw it. */
export class Judge {
  /** Requests that came to the handler. */
  judged = 0;
  /** Answers that came to clients. */
  answered = 0;
  /** Clients that waited for answers and got none. */
  lost = 0;
  readonly wrong: string[] = [];
  /** Resolves what waits in the handler. */
  readonly #held: (() => void)[] = [];

  /** Answers with the client, and compares it with the claim in the path. */
  readonly handler: DenoHandler = async (request, info) => {
    this.#judge(request, info);
    const { pathname, searchParams } = new URL(request.url);
    if (searchParams.has("hold")) {
      await new Promise<void>((resolve) => {
        this.#held.push(resolve);
        setTimeout(resolve, 100);
      });
      await request.arrayBuffer().catch(() => {});
      this.#judge(request, info);
    }
    return new Response(`<${pathname.slice(1)}|${shown(info)}>`);
  };

  #judge(request: Request, info: DenoHandlerInfo): void {
    this.judged++;
    const claim = new URL(request.url).pathname.slice(1);
    const source = proxyInfo(request)?.source;
    const isSame = claim === shown(info) && source !== undefined &&
      "port" in source && claim === `${source.hostname}:${source.port}`;
    if (!isSame) this.wrong.push(`${claim} was told to be ${shown(info)}`);
  }

  /** Compares an answer with what a client claims. */
  check(claim: string, answer: string): void {
    for (const [, path, client] of answer.matchAll(/<([^|>]*)\|([^>]*)>/g)) {
      this.answered++;
      if (path !== claim || client !== claim) {
        this.wrong.push(`${claim} got the answer to ${path} of ${client}`);
      }
    }
  }
}

function shown({ remoteAddr }: DenoHandlerInfo): string {
  return `${remoteAddr.hostname}:${remoteAddr.port}`;
}

/** One of 2^24 clients. */
export function clientAt(index: number): { hostname: string; port: number } {
  const octets = [10, index >> 16 & 255, index >> 8 & 255, index & 255];
  return { hostname: octets.join("."), port: 1024 + index % 60_000 };
}

/** What a client does. */
export interface Plan {
  /** Which client it is. */
  index: number;
  /** How many requests it sends in one write. */
  requests: number;
  end: End;
  /** Leaves a request unfinished, with more bytes behind it. */
  isHeld?: boolean;
  /** Sends no HTTP but much else, so that the internal server resets the connection. */
  isGarbage?: boolean;
}

/** No request, and more than the system takes at once. */
const GARBAGE = `GARBAGE\r\n\r\n${"x".repeat(300_000)}`;

const decoder = new TextDecoder();

/** Plays a client to its end. */
export async function play(
  port: number,
  { index, requests, end, isHeld = false, isGarbage = false }: Plan,
  judge: Judge,
): Promise<void> {
  const { hostname, port: clientPort } = clientAt(index);
  const claim = `${hostname}:${clientPort}`;
  const header = headerOf(hostname, clientPort, index % 2 === 0 ? 1 : 2);
  const path = `/${claim}${isHeld ? "?hold" : ""}`;
  const one = request(path, isHeld ? { method: "POST", body: "held" } : {});
  const text = isGarbage ? GARBAGE : one.repeat(requests);
  const bytes = concat([header, utf8(text)]);
  let answer = "";
  if (end === "reset") return await sendAndReset(port, bytes);
  const conn = await Deno.connect({ hostname: HOSTNAME, port });
  try {
    for (let at = 0; at < bytes.length;) {
      at += await conn.write(bytes.subarray(at));
    }
    if (end === "fin") await conn.closeWrite();
    const buffer = new Uint8Array(4096);
    while (answer.split(">").length <= requests) {
      const count = await conn.read(buffer);
      if (count === null) break;
      answer += decoder.decode(buffer.subarray(0, count));
    }
  } catch {
    // Whoever ends its direction early may get a reset instead of an answer.
  } finally {
    conn.close();
  }
  judge.check(claim, answer);
  if (end === "close" && answer === "" && !isGarbage) judge.lost++;
}

/** Sends bytes and resets the connection, which no call of Deno does. */
async function sendAndReset(port: number, bytes: Uint8Array): Promise<void> {
  const socket = connect(port, HOSTNAME);
  socket.on("error", () => {}); // the server may be quicker
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  socket.on("close", () => resolve());
  socket.write(bytes, () => socket.resetAndDestroy());
  await closed;
}

/** Plays clients, so many at once. */
export async function playAll(
  port: number,
  plans: Iterable<Plan>,
  atOnce: number,
  judge: Judge,
): Promise<void> {
  const waiting = plans[Symbol.iterator]();
  await Promise.all(Array.from({ length: atOnce }, async () => {
    for (;;) {
      const next = waiting.next();
      if (next.done) return;
      await play(port, next.value, judge);
    }
  }));
}
