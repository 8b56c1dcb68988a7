import type { BunPlainServer, BunSocketAddress } from "./types.ts";

/** Methods with more parameters in the runtime's own types. */
interface Methods extends Omit<BunPlainServer, "upgrade"> {
  upgrade(request: Request, ...options: unknown[]): boolean;
}

/** Original members of a native server, even if others cover them. */
export class InnerServer {
  readonly #server: object;
  readonly #methods: Methods;

  constructor(server: object) {
    this.#server = server;
    this.#methods = Object.getPrototypeOf(server);
  }

  get port(): number {
    return Number(Reflect.get(this.#methods, "port", this.#server));
  }

  get protocol(): string {
    return `${Reflect.get(this.#methods, "protocol", this.#server)}`;
  }

  requestIP(request: Request): BunSocketAddress | null {
    return this.#methods.requestIP.call(this.#server, request);
  }

  upgrade(request: Request, ...options: unknown[]): boolean {
    return this.#methods.upgrade.call(this.#server, request, ...options);
  }

  fetch(request: Request | string): Response | Promise<Response> {
    return this.#methods.fetch.call(this.#server, request);
  }

  reload(options: object): void {
    this.#methods.reload.call(this.#server, options);
  }

  stop(closesActive: boolean): Promise<void> {
    return this.#methods.stop.call(this.#server, closesActive);
  }

  keepAlive(isKept: boolean): void {
    this.#methods[isKept ? "ref" : "unref"].call(this.#server);
  }
}
