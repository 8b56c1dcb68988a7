import type { DecodeOptions } from "../../codec/mod.ts";

/** What the page is told first, as JSON. */
export interface StartEvent {
  /** Where `listen` listens. */
  where: string;
  /** How it decodes. */
  options: DecodeOptions;
}

/** What the page is told of each connection, as JSON. */
export interface ListenEvent {
  /** When it came, as ISO 8601. */
  time: string;
  /** The peer. */
  hop: string;
  /** The header in words, or why it was rejected. */
  text: string;
  /** The header, or what came instead, as hex. */
  bytes: string;
  isRejected: boolean;
}
