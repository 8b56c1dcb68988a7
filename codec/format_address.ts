import { quoteText } from "./_quote.ts";
import type { Address } from "./types.ts";

/** What needs no quotes in a line: printable, without spaces and quotes. */
const PLAIN_HOSTNAME_REGEXP = /^[\w.:%-]+$/;
const PLAIN_PATH_REGEXP = /^[^\p{C}\p{Z}"\\@][^\p{C}\p{Z}"\\]*$/u;

/**
 * Returns an address as text for logs and messages: `192.0.2.1:443`,
 * `[2001:db8::1]:443`, `unix:/run/a.sock`. A zone id stays in the brackets. The
 * leading NUL of an abstract path becomes `@`, as `ss` and systemd write it.
 *
 * A missing address, or one without a hostname, is `unknown`. A UNIX socket
 * without a path is `unix:`. The text is one line. A path with spaces, quotes,
 * backslashes or control characters is in quotes and escaped.
 *
 * @example
 * ```ts
 * import { formatAddress } from "@edgewire/proxy-protocol/codec";
 *
 * const client = { transport: "tcp", hostname: "2001:db8::1", port: 443 } as const;
 * console.log(formatAddress(client)); // [2001:db8::1]:443
 * const socket = { transport: "unix", path: "/run/a.sock" } as const;
 * console.log(formatAddress(socket)); // unix:/run/a.sock
 * ```
 */
export function formatAddress(address: Address | undefined): string {
  if (address === undefined) return "unknown";
  if (address.path !== undefined) {
    return `${address.transport}:${pathText(address.path)}`;
  }
  const { hostname, port } = address;
  if (hostname === "") return "unknown";
  const host = PLAIN_HOSTNAME_REGEXP.test(hostname)
    ? hostname
    : quoteText(hostname);
  return hostname.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function pathText(path: string): string {
  const isAbstract = path.startsWith("\0");
  const name = isAbstract ? path.slice(1) : path;
  const isPlain = name === "" || PLAIN_PATH_REGEXP.test(name);
  return (isAbstract ? "@" : "") + (isPlain ? name : quoteText(name));
}
