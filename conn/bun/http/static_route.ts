/** Routes that Bun serves without a handler, as handlers with the same answers. */

import type { Handler } from "./guard.ts";
import { bun } from "./runtime.ts";

/** A `Blob` of `Bun.file`. */
interface NativeFile extends Blob {
  stat(): Promise<{ isFile(): boolean; mtimeMs: number }>;
}

/**
 * Answers like a route that is a `Response`: the same each time, with an `ETag`, and
 * 304 if the client already has it. A `Response` of a file answers like
 * {@link fileRoute}.
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
    // From a clone, because only Bun knows whether the body was text, and its type.
    return isKnown
      ? new Response(null, { status: 304, headers })
      : response.clone();
  };
}

/**
 * Answers like a route that is a file: the current content, `Last-Modified`, and 304
 * if the client already has it. `fetch` answers for a missing file.
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

/** Whether the client has the content since a time, and sends no tag (RFC 9110, 13.2.2). */
function hasSince(headers: Headers, time: number): boolean {
  const tags = headers.get("if-none-match");
  if (tags !== null) return tags.trim() === "*";
  return time <= Date.parse(headers.get("if-modified-since") ?? "");
}

/** Returns the time of the last change, as ms in whole seconds, if the file exists. */
async function modifiedAt(file: Blob): Promise<number | undefined> {
  if (!isFile(file)) return undefined;
  try {
    const stat = await file.stat();
    return stat.isFile() ? Math.floor(stat.mtimeMs / 1000) * 1000 : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a `Blob` is a file. Only `Bun.file` returns one with a name and `stat`. */
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
