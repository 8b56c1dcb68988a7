import { EMPTY } from "../../codec/internal.ts";
import { resetError } from "../admission/refusal.ts";
import type { ByteDuplex, NativeAddress, NativeConn } from "../native_types.ts";

/** What a socket without known ends has: no list of addresses trusts it. */
const UNKNOWN_END: NativeAddress = { transport: "tcp" };

/** Opens a pair of streams as a connection that is read by calls. */
export async function openDuplex(socket: ByteDuplex): Promise<NativeConn> {
  const ends = await socket.opened;
  return new DuplexConn(
    socket,
    parseEnd(ends?.remoteAddress) ?? socket.remoteAddr ?? UNKNOWN_END,
    parseEnd(ends?.localAddress) ?? socket.localAddr ?? UNKNOWN_END,
  );
}

/** Reads `192.0.2.1:80` or `[2001:db8::1]:80`; what else there is could be read in two ways. */
function parseEnd(text: string | undefined): NativeAddress | undefined {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)$/.exec(text ?? "");
  const hostname = parts?.[1] ?? parts?.[2];
  if (hostname === undefined) return undefined;
  return { transport: "tcp", hostname, port: Number(parts?.[3]) };
}

/** Closes a pair of streams in whatever way it has. */
export function closeDuplex(socket: ByteDuplex): void {
  const ignore = () => {}; // closed already, or locked by its user
  socket.opened?.catch(ignore); // nobody may have waited for it yet
  if (socket.close !== undefined) {
    (async () => await socket.close?.())().catch(ignore);
  } else {
    socket.readable.cancel().catch(ignore);
    socket.writable.abort().catch(ignore);
  }
}

/**
 * A pair of streams as a {@link NativeConn}. The streams are locked only while
 * a call is under way, so that others can use them in between.
 */
export class DuplexConn implements NativeConn {
  readonly remoteAddr: NativeAddress;
  readonly localAddr: NativeAddress;
  /** Why it is closed, if the socket says so. */
  failure: Error | undefined;
  readonly #socket: ByteDuplex;
  /** Bytes beyond those asked for, of a stream that cannot be read exactly. */
  #surplus: Uint8Array = EMPTY;
  /** Cancels the read that is under way. */
  #cancel: (() => Promise<void>) | undefined;
  /** Ends the write that is under way. */
  #abort: (() => Promise<void>) | undefined;
  /** The writes so far. */
  #written: Promise<unknown> = Promise.resolve();

  constructor(
    socket: ByteDuplex,
    remoteAddr: NativeAddress,
    localAddr: NativeAddress,
  ) {
    this.#socket = socket;
    // After a reset by the peer neither reading nor writing need fail.
    const onClosed = () => this.failure = resetError();
    socket.closed?.then(onClosed, onClosed);
    this.remoteAddr = remoteAddr;
    this.localAddr = localAddr;
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#socket.readable;
  }

  get writable(): WritableStream<Uint8Array> {
    return this.#socket.writable;
  }

  async read(p: Uint8Array): Promise<number | null> {
    if (p.length === 0) return 0;
    while (this.#surplus.length === 0) {
      const chunk = await this.#readChunk(p.length);
      if (chunk === undefined) return null;
      this.#surplus = chunk;
    }
    const taken = this.#surplus.subarray(0, p.length);
    p.set(taken);
    this.#surplus = this.#surplus.subarray(taken.length);
    return taken.length;
  }

  /** The next bytes: no more than `most`, where the stream can be read exactly. */
  async #readChunk(most: number): Promise<Uint8Array | undefined> {
    const { readable } = this.#socket;
    const byob = byobReader(readable);
    if (byob === undefined) {
      const reader = readable.getReader();
      return await this.#take(reader, reader.read());
    }
    return await this.#take(byob, byob.read(new Uint8Array(most)));
  }

  async #take(
    reader: Pick<ReadableStreamBYOBReader, "cancel" | "releaseLock">,
    read: Promise<ReadableStreamReadResult<Uint8Array>>,
  ): Promise<Uint8Array | undefined> {
    this.#cancel = () => reader.cancel();
    try {
      const { value, done } = await read;
      return done ? undefined : value;
    } finally {
      this.#cancel = undefined;
      reader.releaseLock();
    }
  }

  /** Writes all of `p`, behind the writes before it. */
  async write(p: Uint8Array): Promise<number> {
    await this.#withWriter((writer) => writer.write(p));
    return p.length;
  }

  async closeWrite(): Promise<void> {
    await this.#withWriter((writer) => writer.close());
  }

  async #withWriter(
    work: (writer: WritableStreamDefaultWriter<Uint8Array>) => Promise<void>,
  ): Promise<void> {
    const before = this.#written;
    const done = (async () => {
      await before.catch(() => {}); // the caller of that write has the error
      const writer = this.#socket.writable.getWriter();
      this.#abort = () => writer.abort();
      try {
        await work(writer);
      } finally {
        this.#abort = undefined;
        writer.releaseLock();
      }
    })();
    this.#written = done;
    await done;
  }

  close(): void {
    // A locked stream can be cancelled or aborted only by the code that has locked it.
    this.#cancel?.().catch(() => {});
    this.#abort?.().catch(() => {});
    closeDuplex(this.#socket);
  }

  /** If the socket has no `reset()`, the reader of the writing stream sees an abort. */
  reset(): void {
    const socket = this.#socket;
    // First: a stream that is aborted may end the connection in order.
    if (socket.reset !== undefined) {
      (async () => await socket.reset?.())().catch(() => {});
    }
    const abort = this.#abort ?? (() => socket.writable.abort(resetError()));
    abort().catch(() => {});
    if (socket.reset === undefined) this.close();
    else this.#cancel?.().catch(() => {});
  }

  /** A pair of streams has no hold on the process of its own. */
  ref(): void {}

  /** A pair of streams has no hold on the process of its own. */
  unref(): void {}
}

/** A reader of exactly as many bytes as asked for; `undefined` if the stream has none. */
function byobReader(
  readable: ReadableStream<Uint8Array>,
): ReadableStreamBYOBReader | undefined {
  try {
    return readable.getReader({ mode: "byob" });
  } catch (error) {
    if (readable.locked) throw error;
    return undefined;
  }
}
