import type { DecodeOptions } from "../../codec/mod.ts";

/** First event that the page receives, as JSON. */
export interface StartEvent {
  /** Address of `listen`. */
  where: string;
  /** How it decodes. */
  options: DecodeOptions;
}

/** Event that the page receives for each connection, as JSON. */
export interface ListenEvent {
  /** Time of the connection, as ISO 8601. */
  time: string;
  /** The peer. */
  hop: string;
  /** The header in words, or the reason of the rejection. */
  text: string;
  /** The header, or the bytes received instead, as hex. */
  bytes: string;
  isRejected: boolean;
}
