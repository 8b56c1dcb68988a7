import {
  announcedLength,
  EMPTY,
  scan,
  signatureIn,
} from "../../codec/internal.ts";
import { type ProxyInfo, ProxyProtocolError } from "../../codec/mod.ts";
import type { Policy } from "./policy.ts";
import { emptyError } from "./refusal.ts";

/** A whole header, and the payload that came with it. */
export interface Header {
  /** `undefined` if the header is optional and there is none. */
  readonly info: ProxyInfo | undefined;
  readonly payload: Uint8Array;
}

/** If no header is looked for. */
export const NO_HEADER: Header = { info: undefined, payload: EMPTY };

/** Most headers fit. */
const ROOM = 128;

/**
 * Rooms whose header has been copied out of them, to be used again: on Deno a new
 * one takes over 1 us, its collection included.
 */
const spareRooms: Uint8Array[] = [];
const MOST_SPARE_ROOMS = 64;

/** Up to here each byte may decide; a longer header is v2, of a known length. */
const UNDECIDED_LENGTH = 128;

/** What a reader goes by. */
type ReaderPolicy = Pick<Policy<unknown>, "decode" | "header" | "leastLength">;

/** Puts a header together from what arrives. */
export class HeaderReader {
  readonly #policy: ReaderPolicy;
  #bytes: Uint8Array = EMPTY;
  #length = 0;
  /** How many bytes must at least still come. */
  #needed: number;

  constructor(policy: ReaderPolicy) {
    this.#policy = policy;
    this.#needed = policy.leastLength;
  }

  /** The bytes so far, without the payload after a whole header. */
  get received(): Uint8Array {
    return viewOf(this.#bytes, 0, this.#length);
  }

  /**
   * Where to read the next bytes to, before `take`. It is as long as the
   * rest of the header must be at least, so no byte of the payload is read.
   */
  get room(): Uint8Array {
    return this.#reserve(this.#needed);
  }

  /**
   * Reads bytes in {@link room}; returns the header once it is whole.
   *
   * @throws {ProxyProtocolError} as soon as it cannot become a valid one.
   */
  take(count: number): Header | undefined {
    this.#length += count;
    this.#needed -= count;
    // Asking at each of a long header's single bytes would be quadratic.
    if (this.#needed > 0 && this.#length > UNDECIDED_LENGTH) return undefined;
    return this.#decide(this.received);
  }

  /**
   * Reads bytes that have arrived. Copies them as far as the header goes; returns
   * the header once it is whole.
   *
   * @throws {ProxyProtocolError} as soon as it cannot become a valid one.
   */
  push(chunk: Uint8Array): Header | undefined {
    if (this.#length === 0) {
      const header = this.#decide(chunk); // mostly it is whole
      if (header === undefined) this.#append(chunk);
      return header;
    }
    for (let at = 0; at < chunk.length;) {
      const most = Math.max(this.#needed, ROOM - this.#length);
      const part = viewOf(chunk, at, Math.min(at + most, chunk.length));
      this.#reserve(part.length).set(part);
      at += part.length;
      const header = this.take(part.length);
      if (header === undefined) continue;
      const { info, payload } = header;
      if (info !== undefined) {
        const start = at - payload.length;
        return { info, payload: viewOf(chunk, start, chunk.length) };
      }
      this.#append(viewOf(chunk, at, chunk.length));
      return { info, payload: this.received };
    }
    return undefined;
  }

  /**
   * Handles the end of the stream. The bytes so far are payload if the header is
   * optional and none was begun.
   *
   * @throws {ProxyProtocolError} code `empty` or `incomplete`.
   */
  end(): Header {
    const { received } = this;
    if (received.length === 0) throw emptyError();
    const isBegun = signatureIn(received) === "whole";
    if (this.#policy.header !== "optional" || isBegun) {
      throw new ProxyProtocolError(
        `Cannot read PROXY header: connection closed after ${received.length} bytes`,
        "incomplete",
        { offset: received.length, received },
      );
    }
    return { info: undefined, payload: received };
  }

  /** Reads a header from the first bytes of the connection, of which some may be missing. */
  #decide(bytes: Uint8Array): Header | undefined {
    const { decode, header } = this.#policy;
    const length = announcedLength(bytes) ?? Infinity;
    // Of its own length: `info.raw.buffer` is the user's, the payload is not in it.
    const own = length <= bytes.length ? copyOf(bytes, length) : bytes;
    let result: ProxyInfo | number;
    try {
      result = scan(own, decode);
    } catch (error) {
      const mayLack = header === "optional" &&
        error instanceof ProxyProtocolError && error.code === "signature";
      if (!mayLack) {
        if (own !== bytes) scan(bytes, decode); // the same, with all bytes
        throw error;
      }
      if (signatureIn(bytes) !== "part") {
        return { info: undefined, payload: viewOf(bytes, 0, bytes.length) };
      }
      result = 1; // of a version that is not accepted, perhaps
    }
    if (typeof result === "number") {
      this.#needed = result;
      return undefined;
    }
    const isAll = bytes.length <= length;
    if (isAll && own !== bytes) this.#returnRoom();
    this.#bytes = own;
    this.#length = own.length;
    const payload = isAll ? EMPTY : viewOf(bytes, length, bytes.length);
    return { info: result, payload };
  }

  /** Nothing is read into the room any more. For a rejected header, a read may be pending. */
  #returnRoom(): void {
    const isRoom = this.#bytes.length === ROOM;
    if (isRoom && spareRooms.length < MOST_SPARE_ROOMS) {
      spareRooms.push(this.#bytes);
    }
  }

  /** Copies bytes after those before. */
  #append(part: Uint8Array): void {
    this.#reserve(part.length).set(part);
    this.#length += part.length;
  }

  /** Room for `count` bytes after those before. */
  #reserve(count: number): Uint8Array {
    const length = this.#length + count;
    if (length > this.#bytes.length) {
      const size = Math.max(ROOM, length, 2 * this.#bytes.length);
      const spare = size === ROOM ? spareRooms.pop() : undefined;
      const grown = spare ?? new Uint8Array(size);
      if (this.#length > 0) grown.set(this.received);
      this.#bytes = grown;
    }
    return this.#bytes.subarray(this.#length, length);
  }
}

/** Byte by byte: for so few bytes that is faster than the view that `set` would need. */
function copyOf(bytes: Uint8Array, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = bytes[i]!;
  return copy;
}

/** A plain view, also of a `Buffer`. */
function viewOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start);
}
