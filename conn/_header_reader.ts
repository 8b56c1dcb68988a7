import {
  bytesNeeded,
  decode,
  type ProxyInfo,
  ProxyProtocolError,
} from "../codec/mod.ts";
import { hasSignature } from "../codec/_scan.ts";
import type { Policy } from "./_policy.ts";
import { emptyError } from "./_refusal.ts";

/** A header that is in, and what came with it. */
export interface Header {
  /** `undefined` where the header is optional and there is none. */
  info: ProxyInfo | undefined;
  /** Bytes of the payload. */
  rest: Uint8Array<ArrayBuffer>;
}

/** Room for most headers, before the buffer has to grow. */
const FIRST_CAPACITY = 64;

/** Up to here each byte may decide; a longer header is v2, of a known length. */
const UNDECIDED_LENGTH = 128;

/**
 * Puts a header together from what arrives. A reader that never pushes more
 * than `needed` bytes at once never gets a byte of the payload.
 */
export class HeaderReader {
  readonly #policy: Policy;
  #bytes = new Uint8Array(0);
  #length = 0;
  /** How many bytes must at least still come. */
  needed: number;

  constructor(policy: Policy) {
    this.#policy = policy;
    this.needed = bytesNeeded(this.#bytes, policy.decode);
  }

  /** What has come so far. */
  get received(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /**
   * Adds bytes, which are copied; the header once it is in.
   *
   * @throws {ProxyProtocolError} as soon as it cannot become a valid one.
   */
  push(chunk: Uint8Array): Header | undefined {
    this.#append(chunk);
    this.needed -= chunk.length;
    // Asking at each of a long header's single bytes would be quadratic.
    if (this.needed > 0 && this.#length > UNDECIDED_LENGTH) return undefined;
    const { received } = this;
    const { decode: options } = this.#policy;
    try {
      const info = decode(received, options);
      if (info !== undefined) {
        return { info, rest: received.subarray(info.raw.length) };
      }
      this.needed = bytesNeeded(received, options);
    } catch (error) {
      if (!this.#mayLack(error)) throw error;
      return { info: undefined, rest: received };
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
    return { info: undefined, rest: received };
  }

  /** Whether the bytes are the payload of a peer that may leave the header out. */
  #mayLack(error: unknown): boolean {
    return this.#policy.header === "optional" &&
      error instanceof ProxyProtocolError && error.code === "signature";
  }

  #append(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (length > this.#bytes.length) {
      const capacity = Math.max(length, 2 * this.#bytes.length, FIRST_CAPACITY);
      const grown = new Uint8Array(capacity);
      grown.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = grown;
    }
    this.#bytes.set(chunk, this.#length);
    this.#length = length;
  }
}
