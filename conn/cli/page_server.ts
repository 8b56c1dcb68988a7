/** The page of `listen --ui`, and the connections that it shows. */

import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { DecodeOptions } from "../../codec/mod.ts";
import { toHex } from "./hex.ts";
import type { ListenEvent, StartEvent } from "./page_events.ts";
import { PAGE } from "./page.ts";
import { type Seen, words } from "./seen.ts";

/** Most connections that a page receives when it is opened. The oldest are removed. */
const MOST_KEPT = 256;

/** Most bytes that may wait for a reader. Then its stream is closed, to begin anew. */
const MOST_BEHIND = 4 * 1024 * 1024;

/**
 * Names of this machine. A page of another site whose name resolves to this machine
 * must not read anything.
 */
const LOOPBACK_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/** The page with the path of its events, by which it knows that it is served. */
const SERVED_PAGE = PAGE.replace("<html ", '<html data-events="events" ');

/** A page that is served. */
export interface PageServer {
  /** Its address. */
  readonly url: string;
  /** Shows a connection. */
  show(seen: Seen): void;
  /** Ends the server and the stream of every page. */
  close(): void;
}

/**
 * Serves the page only on loopback, because it has no password.
 *
 * @throws {Error} when the port is in use.
 */
export async function servePage(
  port: number,
  start: { where: string; options: DecodeOptions },
): Promise<PageServer> {
  const kept: string[] = [];
  const readers = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    if (!LOOPBACK_HOST.test(request.headers.host ?? "")) {
      return answer(response, 403, "text/plain", "Only for this machine\n");
    }
    switch (pathOf(request)) {
      case "/":
        return answer(response, 200, "text/html; charset=utf-8", SERVED_PAGE);
      case "/events":
        response.writeHead(200, {
          "Content-Type": "text/event-stream",
          "Cache-Control": "no-store",
        });
        response.write(message("start", start satisfies StartEvent));
        for (const one of kept) response.write(one);
        readers.add(response);
        response.on("close", () => readers.delete(response));
        return;
      default:
        return answer(response, 404, "text/plain", "Not found\n");
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  const bound = typeof address === "object" ? address?.port : undefined;
  return {
    url: `http://127.0.0.1:${bound}/`,
    show(seen) {
      const one = message("connection", toEvent(seen));
      kept.push(one);
      if (kept.length > MOST_KEPT) kept.shift();
      for (const reader of readers) {
        if (reader.writableLength > MOST_BEHIND) reader.destroy();
        else reader.write(one);
      }
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function pathOf({ url = "/" }: IncomingMessage): string {
  return url.replace(/\?.*/s, "");
}

function answer(
  response: ServerResponse,
  status: number,
  type: string,
  text: string,
): void {
  response.writeHead(status, {
    "Content-Type": type,
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(text);
}

/** A message of server-sent events; JSON has no line ends. */
function message(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function toEvent(seen: Seen): ListenEvent {
  const { time, hop, info, error } = seen;
  const bytes = info?.raw ?? error?.received ?? new Uint8Array();
  const isRejected = error !== undefined && error.code !== "empty";
  return { time, hop, text: words(seen), bytes: toHex(bytes), isRejected };
}
