import {
  IncomingMessage,
  Server as HttpServer,
  ServerResponse,
} from "node:http";
import { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { TLSSocket } from "node:tls";

const TIMED_OUT = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

/** Limits in ms as `node:http` names them; 0 is none. */
type Limits = Pick<
  HttpServer,
  "headersTimeout" | "requestTimeout" | "keepAliveTimeout"
>;

/** Where a connection is. */
interface Progress {
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Requests that wait for their response. */
  requests: number;
}

/**
 * The timeouts of HTTP/1 for sockets that are handed to a server which does
 * not listen itself: Bun arms none there.
 */
class HttpTimeouts {
  readonly #server: object;
  readonly #limits: Limits;
  readonly #progress = new WeakMap<Socket, Progress>();

  /** Takes the limits from a server, as they are at each time. */
  constructor(server: Limits) {
    this.#server = server;
    this.#limits = server;
  }

  /** Follows the connections of the server by its events, as they are emitted. */
  see([name, first, second]: readonly unknown[]): void {
    switch (name) {
      case "connection":
        if (this.#server instanceof HttpServer) this.#begin(first);
        break;
      case "secureConnection":
        if (first instanceof TLSSocket && first.alpnProtocol !== "h2") {
          this.#begin(first);
        }
        break;
      case "request":
      case "checkContinue":
      case "checkExpectation":
      case "connect":
      case "upgrade":
        this.#proceed(first, second);
    }
  }

  #begin(socket: unknown): void {
    if (!(socket instanceof Socket) || this.#progress.has(socket)) return;
    this.#progress.set(socket, { timer: undefined, requests: 0 });
    this.#awaitHead(socket);
    socket.once("close", () => this.#disarm(socket));
  }

  /** The head of a request is in; without a response the socket is HTTP no more. */
  #proceed(request: unknown, response: unknown): void {
    if (!(request instanceof IncomingMessage)) return;
    const { socket } = request;
    this.#disarm(socket);
    const progress = this.#progress.get(socket);
    if (progress === undefined || !(response instanceof ServerResponse)) return;
    progress.requests++;
    this.#arm(socket, this.#limits.requestTimeout, () => {
      if (!response.headersSent) socket.write(TIMED_OUT);
      socket.destroy();
    });
    request.once("end", () => {
      if (progress.requests > 0) this.#disarm(socket); // else idle already
    });
    response.once("close", () => {
      if (--progress.requests === 0 && !socket.destroyed) this.#idle(socket);
    });
  }

  #awaitHead(socket: Socket): void {
    this.#arm(socket, this.#limits.headersTimeout, () => {
      socket.write(TIMED_OUT);
      socket.destroy();
    });
  }

  /** Nothing is asked for: what the next request takes counts once it begins. */
  #idle(socket: Socket): void {
    const { bytesRead } = socket;
    this.#arm(socket, this.#limits.keepAliveTimeout, () => {
      if (socket.bytesRead === bytesRead) socket.destroy();
      else this.#awaitHead(socket);
    });
  }

  #disarm(socket: Socket): void {
    this.#arm(socket, 0, () => {});
  }

  /** Replaces the timer of a connection. */
  #arm(socket: Socket, delay: number, act: () => void): void {
    const progress = this.#progress.get(socket);
    if (progress === undefined) return;
    clearTimeout(progress.timer);
    progress.timer = delay > 0 ? setTimeout(act, delay).unref() : undefined;
  }
}

/** The timeouts of a server that speaks HTTP/1. */
export function timeoutsOf(server: object): HttpTimeouts | undefined {
  return hasLimits(server) ? new HttpTimeouts(server) : undefined;
}

function hasLimits(server: object): server is Limits {
  return "headersTimeout" in server && "requestTimeout" in server &&
    "keepAliveTimeout" in server;
}
