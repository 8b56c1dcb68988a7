import { connect } from "node:net";
import { quote } from "../../codec/internal.ts";
import { connect as connectTls } from "node:tls";
import type {
  NodeRelayAddress,
  NodeRelaySocket,
  NodeRelayTarget,
} from "./types.ts";

/** Opens a target, or returns an open one. */
export function openTarget(
  target: NodeRelayTarget,
): NodeRelaySocket | Promise<NodeRelaySocket> {
  if (typeof target === "function") return target();
  return isSocket(target) ? target : dial(target);
}

function dial({ tls, ...address }: NodeRelayAddress): NodeRelaySocket {
  const options = { noDelay: true, ...address, allowHalfOpen: true };
  if (!tls) return connect(options);
  return connectTls({ ...options, ...(tls === true ? {} : tls) });
}

/** Whether a target is a socket, which the application has dialled. */
export function isSocket(target: NodeRelayTarget): target is NodeRelaySocket {
  return typeof target === "object" && target !== null &&
    "write" in target && typeof target.write === "function";
}

/**
 * Checks the target of `relay`. `net.connect` checks its options.
 *
 * @throws {TypeError} for anything but an object or a function.
 */
export function checkTarget(target: unknown): void {
  if (typeof target === "function") return;
  if (typeof target === "object" && target !== null) return;
  throw new TypeError(
    `Cannot relay: expected options of net.connect, a socket or a function, received ${
      quote(target)
    }`,
  );
}

/** Returns the event after which a socket can be written to, `undefined` if it can now. */
export function openingEvent(socket: NodeRelaySocket): string | undefined {
  // After the certificate is verified, so that an unverified server receives nothing.
  if (Reflect.get(socket, "secureConnecting") === true) return "secureConnect";
  return socket.connecting ? "connect" : undefined;
}
