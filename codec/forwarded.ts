import { isClientEncrypted } from "./tlvs/is_client_encrypted.ts";
import type { Address, ProxyInfo } from "./types.ts";

/**
 * Returns the value of a `Forwarded` header for an HTTP backend ([RFC
 * 7239](https://www.rfc-editor.org/rfc/rfc7239)): the client and the address
 * that the client connected to. If an SSL TLV says that the client used TLS,
 * `proto=https` is added. Without that TLV it is not known whether the client
 * used TLS, so `proto` is absent.
 *
 * IPv6 addresses are in brackets, and addresses with a port in quotes, as the
 * RFC requires. A client on a UNIX socket is `_unix`. A header without
 * addresses (LOCAL, UNKNOWN, UNSPEC) is `for=unknown`.
 *
 * Set the header and remove any `Forwarded` header that the client sent,
 * because a client can forge it. Trusted HTTP proxies in front of this server
 * may put their values first, separated by a comma.
 *
 * @example
 * ```ts
 * import { decode, encode, forwarded } from "@edgewire/proxy-protocol/codec";
 *
 * const info = decode(encode({
 *   source: { transport: "tcp", hostname: "2001:db8::1", port: 56324 },
 *   destination: { transport: "tcp", hostname: "2001:db8::2", port: 443 },
 *   tlvs: { SSL: true },
 * }));
 * const value = info && forwarded(info);
 * console.log(value); // for="[2001:db8::1]:56324";by="[2001:db8::2]:443";proto=https
 * ```
 */
export function forwarded(
  { source, destination, tlvs }: Pick<
    ProxyInfo,
    "source" | "destination" | "tlvs"
  >,
): string {
  const pairs = [`for=${nodeOf(source)}`];
  if (destination !== undefined) pairs.push(`by=${nodeOf(destination)}`);
  if (isClientEncrypted({ tlvs })) pairs.push("proto=https");
  return pairs.join(";");
}

/** A node and its port; a quoted string, because neither `:` nor `[` may stand in a token (section 4). */
function nodeOf(address: Address | undefined): string {
  if (address === undefined) return "unknown";
  // A path is no node: names that stand for something begin with `_` (section 6.3).
  if (address.path !== undefined) return "_unix";
  const { hostname, port } = address;
  const host = hostname.includes(":") ? `[${hostname}]` : hostname;
  return `"${host}:${port}"`;
}
