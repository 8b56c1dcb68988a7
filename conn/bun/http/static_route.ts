/** Routes that Bun serves without calling a handler, as handlers that answer alike. */

import type { Handler } from "./guard.ts";
import { bun } from "./runtime.ts";

/** A `Blob` of `Bun.file`. */
interface NativeFile extends Blob {
  stat(): Promise<{ isFile(): boolean; mtimeMs: number }>;
}

/**
 * Answers like a `Response` as a route: the same each time, with an `ETag`, and
 * 304 for one that the client has. Of a file, like {@link fileRoute}.
 */
export function responseRoute(response: Response, fallback: Handler): Handler {
  const loading = load(response.clone(), fallback);
  loading.catch(() => {}); // each request rejects
  return async function (request, server) {
    const handler = await loading;
    return handler.call(this, request, server);
  };
}

async function load(response: Response, fallback: Handler): Promise<Handler> {
  const { status, headers } = response;
  const body = await response.clone().blob();
  if (isFile(body)) return fileRoute(body, fallback, response);
  const bytes = new Uint8Array(await body.arrayBuffer());
  if (bytes.length > 0 && !headers.has("etag")) {
    headers.set("etag", tagOf(bytes));
  }
  const tag = headers.get("etag");
  return (request) => {
    const isKnown = status === 200 && isRead(request) &&
      tag !== null && isListed(tag, request.headers.get("if-none-match"));
    // By a clone: only Bun knows whether the body was text, and of which type.
    return isKnown
      ? new Response(null, { status: 304, headers })
      : response.clone();
  };
}

/**
 * Answers like a file as a route: what it holds now, `Last-Modified`, and 304 for
 * one that the client has. A file that is not there is left to `fetch`.
 */
export function fileRoute(
  file: Blob,
  fallback: Handler,
  head?: Pick<Response, "status" | "statusText" | "headers">,
): Handler {
  const { status = 200, statusText = "" } = head ?? {};
  return async function (request, server) {
    const time = await modifiedAt(file);
    if (time === undefined) return fallback.call(this, request, server);
    const headers = new Headers(head?.headers);
    headers.set("last-modified", new Date(time).toUTCString());
    const isKnown = status === 200 && isRead(request) &&
      hasSince(request.headers, time);
    return new Response(isKnown ? null : file, {
      status: isKnown ? 304 : status,
      statusText,
      headers,
    });
  };
}

/** Whether the client has what was changed at some time, and has no tag (RFC 9110, 13.2.2). */
function hasSince(headers: Headers, time: number): boolean {
  const tags = headers.get("if-none-match");
  if (tags !== null) return tags.trim() === "*";
  return time <= Date.parse(headers.get("if-modified-since") ?? "");
}

/** When a file was changed, in whole seconds as ms; `undefined` if there is none. */
async function modifiedAt(file: Blob): Promise<number | undefined> {
  if (!isFile(file)) return undefined;
  try {
    const stat = await file.stat();
    return stat.isFile() ? Math.floor(stat.mtimeMs / 1000) * 1000 : undefined;
  } catch {
    return undefined;
  }
}

/** Whether its bytes are on disk: only those of `Bun.file` have a name and `stat`. */
function isFile(blob: Blob): blob is NativeFile {
  return "stat" in blob && typeof Reflect.get(blob, "name") === "string";
}

function isRead({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}

/** The tag that Bun makes of a body. */
function tagOf(bytes: Uint8Array): string {
  return `"${bun().hash.xxHash64(bytes).toString(16).padStart(16, "0")}"`;
}

/** Whether a list of tags has one: `W/` makes no difference (RFC 9110, 13.1.2). */
function isListed(tag: string, list: string | null): boolean {
  if (list === null) return false;
  const strong = (text: string) => text.trim().replace(/^W\//, "");
  return list.trim() === "*" ||
    list.split(",").some((item) => strong(item) === strong(tag));
}
