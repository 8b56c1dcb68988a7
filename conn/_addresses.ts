import type { Address, ProxyInfo } from "../codec/mod.ts";
import { IGNORED } from "./_ignored.ts";
import type { Policy } from "./admission/policy.ts";
import type { NativeAddress } from "./types.ts";

/** An address of a runtime as one of the codec; a fresh object. */
export function toAddress(native: NativeAddress): Address {
  const { transport } = native;
  if (transport === "unix" || transport === "unixpacket") {
    return { transport, path: native.path ?? "" };
  }
  // Not `path` too: of an object of Deno one that is not there takes longer than all else.
  const { hostname = "", port = 0 } = native;
  return { transport: transport === "udp" ? "udp" : "tcp", hostname, port };
}

/** An address of TCP as a socket has it: a connection that was reset has none. */
export function tcpAddress(hostname = "", port = 0): Address {
  return { transport: "tcp", hostname, port };
}

/** The ends of a connection as an application should see them. */
export interface Ends {
  remoteAddr: Address;
  localAddr: Address;
}

/**
 * Those of the header, where it names them and is to be believed. One that is
 * not is remembered: nothing of it is to be told to anybody else.
 */
export function endsOf(
  info: ProxyInfo | undefined,
  mode: Policy["header"],
): Ends | undefined {
  if (mode === "ignore" && info !== undefined) IGNORED.add(info);
  if (mode === "ignore" || !info?.source || !info.destination) return undefined;
  return {
    remoteAddr: { ...info.source },
    localAddr: { ...info.destination },
  };
}

/** `fe80::1%eth0` and `fe80::%eth0/64` without `%eth0`. */
export function withoutZone(text: string): string {
  const zone = text.indexOf("%");
  if (zone < 0) return text;
  const slash = text.indexOf("/", zone);
  return text.slice(0, zone) + (slash < 0 ? "" : text.slice(slash));
}
