import {
  IncomingMessage,
  Server as HttpServer,
  ServerResponse,
} from "node:http";
import { Socket } from "node:net";
import { clearTimeout, setTimeout } from "node:timers";
import { TLSSocket } from "node:tls";

const TIMED_OUT = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

/** Limits in ms, by their names in `node:http`. 0 for no limit. */
type Limits = Pick<
  HttpServer,
  "headersTimeout" | "requestTimeout" | "keepAliveTimeout" | "timeout"
>;

/** A request whose response has not been sent. */
interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

/** State of a connection. */
interface Progress {
  timer: ReturnType<typeof setTimeout> | undefined;
  /** In the order of the requests. */
  readonly exchanges: Exchange[];
  /** Listens for `'timeout'`, as long as the socket is one of HTTP. */
  readonly onTimeout: () => void;
}

/**
 * Applies the timeouts of HTTP/1 to sockets that are passed to a server which does
 * not listen itself. Bun sets no timeouts there.
 */
class HttpTimeouts {
  readonly #server: Limits & Pick<HttpServer, "emit">;
  readonly #progress = new WeakMap<Socket, Progress>();

  /** Reads the limits of a server each time they are needed. */
  constructor(server: Limits & Pick<HttpServer, "emit">) {
    this.#server = server;
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
    const progress: Progress = {
      timer: undefined,
      exchanges: [],
      onTimeout: () => this.#tellTimeout(socket, progress),
    };
    this.#progress.set(socket, progress);
    this.#awaitHead(socket);
    const { timeout } = this.#server;
    if (timeout > 0) socket.setTimeout(timeout);
    socket.on("timeout", progress.onTimeout);
    socket.once("close", () => this.#disarm(socket));
  }

  /** Handles a socket without traffic. It is closed if there is no listener. */
  #tellTimeout(socket: Socket, { exchanges }: Progress): void {
    const request = exchanges.at(-1)?.request;
    const isHeard = [
      request?.complete === false && request.emit("timeout", socket),
      exchanges[0]?.response.emit("timeout", socket),
      this.#server.emit("timeout", socket),
    ];
    if (!isHeard.includes(true)) socket.destroy();
  }

  /**
   * Continues after the head of a request. Without a response, the socket no longer
   * belongs to HTTP.
   */
  #proceed(request: unknown, response: unknown): void {
    if (!(request instanceof IncomingMessage)) return;
    const { socket } = request;
    this.#disarm(socket);
    const progress = this.#progress.get(socket);
    if (progress === undefined) return;
    const { exchanges, onTimeout } = progress;
    if (!(response instanceof ServerResponse)) {
      socket.off("timeout", onTimeout);
      return;
    }
    const exchange: Exchange = { request, response };
    exchanges.push(exchange);
    const { timeout, requestTimeout } = this.#server;
    if (timeout > 0) socket.setTimeout(timeout); // again, if it was idle
    this.#arm(socket, requestTimeout, () => {
      if (!response.headersSent) socket.write(TIMED_OUT);
      socket.destroy();
    });
    request.once("end", () => {
      if (exchanges.length > 0) this.#disarm(socket); // else idle already
    });
    response.once("close", () => {
      exchanges.splice(exchanges.indexOf(exchange), 1);
      if (exchanges.length === 0 && !socket.destroyed) this.#idle(socket);
    });
  }

  #awaitHead(socket: Socket): void {
    this.#arm(socket, this.#server.headersTimeout, () => {
      socket.write(TIMED_OUT);
      socket.destroy();
    });
  }

  /** Waits for the next request. The time of that request counts after it begins. */
  #idle(socket: Socket): void {
    const { bytesRead } = socket;
    const { keepAliveTimeout } = this.#server;
    if (keepAliveTimeout > 0) socket.setTimeout(0);
    this.#arm(socket, keepAliveTimeout, () => {
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

/** Timeouts of a server that supports HTTP/1. */
export function timeoutsOf(server: object): HttpTimeouts | undefined {
  return hasLimits(server) ? new HttpTimeouts(server) : undefined;
}

function hasLimits(
  server: object,
): server is Limits & Pick<HttpServer, "emit"> {
  return "headersTimeout" in server && "requestTimeout" in server &&
    "keepAliveTimeout" in server && "timeout" in server;
}
