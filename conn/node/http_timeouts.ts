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

/**
 * State of a connection. Its timer is set only for a deadline that is earlier than
 * the time of the timer, and finds a later one when it runs. Two timers for each
 * request would take a tenth of the time of an answer.
 */
interface Progress {
  /** On the clock; `Infinity` for none. */
  deadline: number;
  /** What is done at the deadline. */
  act: () => void;
  timer: ReturnType<typeof setTimeout> | undefined;
  /** When the timer runs; `Infinity` if there is none. */
  timerEnd: number;
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
      deadline: Infinity,
      act: doNothing,
      timer: undefined,
      timerEnd: Infinity,
      exchanges: [],
      onTimeout: () => this.#tellTimeout(socket, progress),
    };
    this.#progress.set(socket, progress);
    this.#awaitHead(socket, progress);
    const { timeout } = this.#server;
    if (timeout > 0) socket.setTimeout(timeout);
    socket.on("timeout", progress.onTimeout);
    socket.on("close", () => {
      disarm(progress);
      clearTimeout(progress.timer);
    });
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
    const progress = this.#progress.get(socket);
    if (progress === undefined) return;
    const { exchanges, onTimeout } = progress;
    if (!(response instanceof ServerResponse)) {
      disarm(progress);
      socket.off("timeout", onTimeout);
      return;
    }
    const exchange: Exchange = { request, response };
    exchanges.push(exchange);
    const { timeout, requestTimeout } = this.#server;
    if (timeout > 0) socket.setTimeout(timeout); // again, if it was idle
    arm(progress, requestTimeout, () => {
      if (request.complete) return;
      if (!response.headersSent) socket.write(TIMED_OUT);
      socket.destroy();
    });
    response.on("close", () => { // only once: `once` would need a wrapper
      exchanges.splice(exchanges.indexOf(exchange), 1);
      if (exchanges.length === 0 && !socket.destroyed) {
        this.#idle(socket, progress);
      }
    });
  }

  #awaitHead(socket: Socket, progress: Progress): void {
    arm(progress, this.#server.headersTimeout, () => {
      socket.write(TIMED_OUT);
      socket.destroy();
    });
  }

  /** Waits for the next request. The time of that request counts after it begins. */
  #idle(socket: Socket, progress: Progress): void {
    const { bytesRead } = socket;
    const { keepAliveTimeout } = this.#server;
    if (keepAliveTimeout > 0 && socket.timeout) socket.setTimeout(0);
    arm(progress, keepAliveTimeout, () => {
      if (socket.bytesRead === bytesRead) socket.destroy();
      else this.#awaitHead(socket, progress);
    });
  }
}

function doNothing(): void {}

/** Sets a deadline in place of the one before. */
function arm(progress: Progress, delay: number, act: () => void): void {
  if (!(delay > 0)) return disarm(progress);
  progress.act = act;
  progress.deadline = performance.now() + delay;
  if (progress.deadline < progress.timerEnd) startTimer(progress, delay);
}

function disarm(progress: Progress): void {
  progress.deadline = Infinity;
  progress.act = doNothing;
}

function startTimer(progress: Progress, delay: number): void {
  clearTimeout(progress.timer);
  progress.timerEnd = progress.deadline;
  progress.timer = setTimeout(() => expire(progress), delay).unref();
}

function expire(progress: Progress): void {
  progress.timerEnd = Infinity;
  const rest = progress.deadline - performance.now();
  if (rest === Infinity) return;
  if (rest >= 1) return startTimer(progress, rest);
  const { act } = progress;
  disarm(progress);
  act();
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
