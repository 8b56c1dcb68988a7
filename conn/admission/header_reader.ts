import {
  bytesNeeded,
  type ProxyInfo,
  ProxyProtocolError,
} from "../../codec/mod.ts";
import { EMPTY, firstBytes, hasSignature, scan } from "../../codec/internal.ts";
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

/** Most headers fit; no more of the payload is looked at. */
const ROOM = 128;

/** Up to here each byte may decide; a longer header is v2, of a known length. */
const UNDECIDED_LENGTH = 128;

/** What a reader goes by. */
type ReaderPolicy = Pick<Policy<unknown>, "decode" | "header">;

/** Puts a header together from what arrives. */
export class HeaderReader {
  readonly #policy: ReaderPolicy;
  #bytes: Uint8Array<ArrayBuffer> = EMPTY;
  #length = 0;
  /** How many bytes must at least still come. */
  #needed: number;

  constructor(policy: ReaderPolicy) {
    this.#policy = policy;
    this.#needed = bytesNeeded(EMPTY, policy.decode);
  }

  /** What has come so far. */
  get received(): Uint8Array<ArrayBuffer> {
    return firstBytes(this.#bytes, this.#length);
  }

  /**
   * Where to read the next bytes to, before {@link take}: what must at least
   * still come. Who reads no more than this never reads a byte of the payload.
   */
  get room(): Uint8Array<ArrayBuffer> {
    return this.#reserve(this.#needed);
  }

  /**
   * Takes bytes that were read into {@link room}; the header once it is in.
   *
   * @throws {ProxyProtocolError} as soon as it cannot become a valid one.
   */
  take(count: number): Header | undefined {
    this.#length += count;
    this.#needed -= count;
    // Asking at each of a long header's single bytes would be quadratic.
    if (this.#needed > 0 && this.#length > UNDECIDED_LENGTH) return undefined;
    const { received } = this;
    try {
      const result = scan(received, this.#policy.decode);
      if (typeof result !== "number") {
        return { info: result, payload: received.subarray(result.raw.length) };
      }
      this.#needed = result;
    } catch (error) {
      if (!this.#mayLack(error)) throw error;
      return { info: undefined, payload: received };
    }
    return undefined;
  }

  /**
   * Adds bytes that have come, which are copied as far as the header goes; the
   * header once it is in.
   *
   * @throws {ProxyProtocolError} as soon as it cannot become a valid one.
   */
  push(chunk: Uint8Array): Header | undefined {
    for (let at = 0; at < chunk.length;) {
      const most = Math.max(this.#needed, ROOM - this.#length);
      const part = at === 0 && chunk.length <= most
        ? chunk
        : viewOf(chunk, at, Math.min(at + most, chunk.length));
      this.#append(part);
      at += part.length;
      const header = this.take(part.length);
      if (header === undefined) continue;
      if (at === chunk.length) return header;
      const { info, payload } = header;
      if (info !== undefined) {
        const start = at - payload.length;
        return { info, payload: viewOf(chunk, start, chunk.length) };
      }
      this.#append(viewOf(chunk, at, chunk.length));
      this.#length += chunk.length - at;
      return { info, payload: this.received };
    }
    return undefined;
  }

  /**
   * Says that nothing more comes: what has come is payload, where the header is
   * optional and none was begun.
   *
   * @throws {ProxyProtocolError} code `empty` or `incomplete`.
   */
  end(): Header {
    const { received } = this;
    if (received.length === 0) throw emptyError();
    if (this.#policy.header !== "optional" || hasSignature(received)) {
      throw new ProxyProtocolError(
        `Cannot read PROXY header: connection closed after ${received.length} bytes`,
        "incomplete",
        { offset: received.length, received },
      );
    }
    return { info: undefined, payload: received };
  }

  /** Whether the bytes are the payload of a peer that may leave the header out. */
  #mayLack(error: unknown): boolean {
    return this.#policy.header === "optional" &&
      error instanceof ProxyProtocolError && error.code === "signature";
  }

  /** Copies bytes behind those that have come. */
  #append(part: Uint8Array): void {
    // Mostly all there is: one array of its very length, and no view of it.
    if (this.#length === 0) this.#bytes = new Uint8Array(part);
    else this.#reserve(part.length).set(part);
  }

  /** Room for `count` bytes behind those that have come. */
  #reserve(count: number): Uint8Array<ArrayBuffer> {
    const length = this.#length + count;
    if (length > this.#bytes.length) {
      // Not shared with other headers: `info.raw.buffer` is the user's.
      const grown = new Uint8Array(
        Math.max(ROOM, length, 2 * this.#bytes.length),
      );
      grown.set(this.received);
      this.#bytes = grown;
    }
    return this.#bytes.subarray(this.#length, length);
  }
}

/** A plain view, also of a `Buffer`. */
function viewOf(
  chunk: Uint8Array,
  start: number,
  end: number,
): Uint8Array {
  return new Uint8Array(chunk.buffer, chunk.byteOffset + start, end - start);
}
