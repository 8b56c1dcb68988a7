import { TLV_HEADER_LENGTH } from "../_wire.ts";

/**
 * Walks TLVs one by one (section 2.2): every reader of them takes these steps.
 * Between steps it must not call code of the user, for the view may be of a
 * buffer that all headers share.
 */
export class TlvWalk {
  readonly #view: DataView;
  /** Where the TLVs end, and as far as bytes are in. */
  readonly #end: number;
  readonly #received: number;
  /** Type of the TLV. */
  type = 0;
  /** Its type byte, its value, what follows it. */
  at: number;
  value = 0;
  next: number;

  constructor(
    view: DataView,
    start: number,
    end: number,
    received: number = end,
  ) {
    this.#view = view;
    this.#end = end;
    this.#received = Math.min(received, end);
    this.at = start;
    this.next = start;
  }

  /** Goes to the next TLV; false when there is none that fits in. */
  step(): boolean {
    const at = this.next;
    const value = at + TLV_HEADER_LENGTH;
    if (value > this.#received) return false;
    const next = value + this.#view.getUint16(at + 1);
    if (next > this.#end) return false;
    this.type = this.#view.getUint8(at);
    this.at = at;
    this.value = value;
    this.next = next;
    return true;
  }

  /** Whether TLVs have filled all there is. */
  get isWhole(): boolean {
    return this.next === this.#end;
  }
}
