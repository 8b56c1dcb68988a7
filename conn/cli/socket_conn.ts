import { connect, type Socket } from "node:net";
import type { HostPort } from "./read_text.ts";
import type { ByteConn } from "./runtime.ts";

/** Dials by `node:net`, which every runtime has. */
export function dial({ hostname, port }: HostPort): Promise<SocketConn> {
  const socket = connect({ host: hostname, port, allowHalfOpen: true });
  const conn = new SocketConn(socket);
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(conn));
    socket.once("error", reject);
  });
}

/** Events after which there may be something to read, or nothing ever again. */
const NEWS = ["readable", "end", "error", "close"] as const;

/** A socket of `node:net` as a {@link ByteConn}. */
export class SocketConn implements ByteConn {
  readonly #socket: Socket;
  #tell = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    // An error is thrown by the next call.
    for (const name of NEWS) socket.on(name, () => this.#tell());
  }

  async read(p: Uint8Array): Promise<number | null> {
    const socket = this.#socket;
    for (;;) {
      const chunk: unknown = socket.read(
        Math.min(p.length, socket.readableLength),
      );
      if (chunk instanceof Uint8Array && chunk.length > 0) {
        p.set(chunk);
        return chunk.length;
      }
      if (socket.errored) throw socket.errored;
      if (socket.readableEnded || socket.destroyed) return null;
      await new Promise<void>((resolve) => this.#tell = resolve);
    }
  }

  write(p: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) =>
      this.#socket.write(
        p,
        (error) => error ? reject(error) : resolve(p.length),
      )
    );
  }

  closeWrite(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.#socket.end((error?: Error | null) =>
        error ? reject(error) : resolve()
      )
    );
  }

  close(): void {
    this.#socket.destroy();
  }
}
