import { quote } from "../../../codec/internal.ts";
import type { Guard, Handler } from "./guard.ts";
import { fileRoute, responseRoute } from "./static_route.ts";

/**
 * Guards routes. A route that Bun serves without a handler becomes a handler, or any
 * local process could request it from the inner server.
 *
 * @throws {TypeError} for an HTML bundle or a directory, which no handler can serve.
 */
export function guardRoutes(
  routes: object,
  guard: Guard,
  fallback: Handler,
): Record<string, unknown> {
  const guarded: Record<string, unknown> = {};
  for (const [path, route] of Object.entries(routes)) {
    guarded[path] = guardRoute(path, route, guard, fallback);
  }
  return guarded;
}

function guardRoute(
  path: string,
  route: unknown,
  guard: Guard,
  fallback: Handler,
): unknown {
  const handler = toHandler(route, fallback);
  if (handler !== undefined) return guard.wrap(handler);
  // For these values Bun calls `fetch` or throws an error itself.
  if (typeof route !== "object" || route === null) return route;
  const prototype: unknown = Object.getPrototypeOf(route);
  if (prototype !== Object.prototype || "dir" in route) throw unguarded(path);
  return Object.fromEntries(
    Object.entries(route).map(([method, value]) => {
      const handler = toHandler(value, fallback);
      if (handler === undefined && typeof value === "object") {
        throw unguarded(`${method} ${path}`);
      }
      return [method, handler === undefined ? value : guard.wrap(handler)];
    }),
  );
}

function toHandler(route: unknown, fallback: Handler): Handler | undefined {
  if (typeof route === "function") {
    return function (request, server) {
      return Reflect.apply(route, this, [request, server]);
    };
  }
  if (route instanceof Response) return responseRoute(route, fallback);
  if (route instanceof Blob) return fileRoute(route, fallback);
  return undefined;
}

function unguarded(path: string): TypeError {
  return new TypeError(
    `Cannot guard the route ${
      quote(path)
    }: expected a handler, a Response or a file; Bun serves HTML bundles and directories without a handler. Serve them from a handler, or by a Bun.serve on a UNIX socket behind proxied() and relay()`,
  );
}
