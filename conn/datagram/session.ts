import type { Address, ProxyInfo } from "../../codec/mod.ts";
import type { Opened } from "./opened.ts";
import type { DatagramSession } from "./types.ts";

/** A session, which {@link Session.update} keeps up to date. */
export class Session implements DatagramSession {
  readonly hop: Address;
  readonly replyTo: DatagramSession["replyTo"];
  readonly #close: () => void;
  /** Without the payload, whose memory must not live as long as the session. */
  #header: Omit<Opened, "payload">;

  /** `close` ends it. */
  constructor(
    hop: Address,
    replyTo: DatagramSession["replyTo"],
    opened: Opened,
    close: () => void,
  ) {
    this.hop = hop;
    this.replyTo = replyTo;
    this.#header = headerOf(opened);
    this.#close = close;
  }

  get info(): ProxyInfo | undefined {
    return this.#header.info;
  }

  get remoteAddr(): Address {
    return this.#header.ends?.remoteAddr ?? this.hop;
  }

  get localAddr(): Address | undefined {
    return this.#header.ends?.localAddr;
  }

  /** Replaces the header by that of a later datagram of the same client. */
  update(opened: Opened): void {
    this.#header = headerOf(opened);
  }

  answer(payload: Uint8Array): Uint8Array {
    return this.#header.answer(payload);
  }

  close(): void {
    this.#close();
  }
}

function headerOf({ info, ends, answer }: Opened): Omit<Opened, "payload"> {
  return { info, ends, answer };
}
