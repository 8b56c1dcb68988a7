import { connect } from "node:net";
import { quote } from "../../codec/internal.ts";
import { connect as connectTls } from "node:tls";
import type {
  NodeRelayAddress,
  NodeRelaySocket,
  NodeRelayTarget,
} from "./types.ts";

/** Opens a target, or gives the one that is open. */
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

/** Whether a target is a socket, which somebody else has dialled. */
export function isSocket(target: NodeRelayTarget): target is NodeRelaySocket {
  return typeof target === "object" && target !== null &&
    "write" in target && typeof target.write === "function";
}

/**
 * Checks what `relay` is to connect to; `net.connect` checks the rest.
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

/** The event by which a socket can be written to; `undefined` if it can be now. */
export function openingEvent(socket: NodeRelaySocket): string | undefined {
  // Not before its certificate is verified: a server that fails that receives nothing.
  if (Reflect.get(socket, "secureConnecting") === true) return "secureConnect";
  return socket.connecting ? "connect" : undefined;
}
