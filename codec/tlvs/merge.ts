/** TLVs of a decoded header as they came, with what the caller has changed since. */

import { SSL_FIXED_LENGTH, TLV_HEADER_LENGTH } from "../_wire.ts";
import type { LocatedTlv, ProxyInfo, Tlvs } from "../types.ts";
import {
  entriesLength,
  givenTlvs,
  givesSsl,
  namedEntry,
  sslEntry,
  type TlvEntry,
  type TlvValue,
  writeEntries,
} from "./entries.ts";
import { newBlock } from "../_block.ts";
import { wholeTlvs } from "./read.ts";
import {
  fits,
  isSslPart,
  isSslSubtype,
  nameRule,
  shownName,
  TLV_TYPES,
} from "./types.ts";

/** TLVs to write for those of a decoded header. */
export interface Merged {
  entries: TlvEntry[];
  /** Whether the caller gives the values that the header has. */
  isUnchanged: boolean;
}

/**
 * Turns the TLVs that are given for a received header into a list as it is
 * written, checked. A name with the value that came keeps all its TLVs in their
 * places, also those that `Tlvs` does not show: repeated ones, and an earlier
 * SSL. A name with another value has one TLV, in the place of the one that was
 * shown. A name that is gone has none, a new one stands at the end.
 *
 * What stood inside SSL stays there, and goes with it: outside it would look
 * like the word of the sender itself.
 *
 * @throws {TypeError} for an unknown name or a value of the wrong kind.
 * @throws {RangeError} for a value out of its range.
 */
export function mergedEntries(tlvs: Tlvs, received: ProxyInfo): Merged {
  const merge = new Merge(tlvs, received);
  return { entries: merge.entries(), isUnchanged: merge.changed.size === 0 };
}

/** Levels of TLVs: inside SSL or not. */
type Place = "outside" | "inside";

class Merge {
  /** Names whose value is not the one that came. */
  readonly changed: ReadonlySet<string>;
  readonly #given: ReadonlyMap<string, TlvValue>;
  readonly #received: ProxyInfo;
  /** The SSL TLV that `Tlvs` shows. */
  readonly #ssl: LocatedTlv | undefined;
  readonly #writesSsl: boolean;
  /** Names that stand in the list. */
  readonly #written: Set<string> = new Set();

  constructor(tlvs: Tlvs, received: ProxyInfo) {
    const given = new Map(givenTlvs(tlvs));
    const came = new Map(givenTlvs(received.tlvs));
    const names = new Set([...given.keys(), ...came.keys()]);
    for (const name of names) {
      if (isSame(given.get(name), came.get(name))) names.delete(name);
    }
    this.changed = names;
    this.#given = given;
    this.#received = received;
    this.#ssl = wholeTlvs(received.rest).findLast(isSsl);
    this.#writesSsl = givesSsl(
      given.get("SSL"),
      given.get("SSL_CLIENT"),
      given.get("SSL_VERIFY"),
    );
  }

  /** All that is to be written. */
  entries(): TlvEntry[] {
    const level = this.#ssl === undefined ? "outside" : "beside SSL";
    const ssl = this.#writesSsl ? this.#sslEntry() : undefined;
    const entries: TlvEntry[] = [];
    for (const tlv of wholeTlvs(this.#received.rest)) {
      if (!fits(tlv.type, tlv.value.length)) continue;
      if (!isSsl(tlv)) {
        entries.push(...this.#kept(tlv, shownName(tlv.type, level), "outside"));
      } else if (tlv.offset === this.#ssl?.offset) {
        if (ssl !== undefined) entries.push(ssl);
      } else if (ssl === this.#ssl && isWellFormed(tlv)) {
        entries.push(tlv);
      }
    }
    let isSslWritten = this.#ssl !== undefined;
    for (const [name, value] of this.#given) {
      if (isSslPart(name) || this.#placeOf(name) === "inside") {
        if (!isSslWritten && ssl !== undefined) entries.push(ssl);
        isSslWritten = true;
      } else {
        entries.push(...this.#new(name, value, "outside"));
      }
    }
    return entries;
  }

  /** The SSL TLV; the very one that came, where nothing of it has changed. */
  #sslEntry(): TlvEntry {
    const entries: TlvEntry[] = [];
    const ssl = this.#ssl;
    for (const tlv of ssl === undefined ? [] : subTlvs(ssl)) {
      const name = shownName(tlv.type, "inside SSL");
      entries.push(...this.#kept(tlv, name, "inside"));
    }
    for (const [name, value] of this.#given) {
      if (!isSslPart(name)) entries.push(...this.#new(name, value, "inside"));
    }
    const merged = sslEntry(
      this.#given.get("SSL_CLIENT"),
      this.#given.get("SSL_VERIFY"),
      entries,
    );
    return ssl !== undefined && isSame(bytesOf(merged), ssl.value)
      ? ssl
      : merged;
  }

  /** What becomes of a TLV that came, under the name that it is shown by. */
  #kept(tlv: LocatedTlv, name: string | undefined, place: Place): TlvEntry[] {
    if (name === undefined) return [tlv]; // means nothing where it stands
    if (!this.#given.has(name)) return [];
    const shown = this.#placeOf(name);
    if (this.changed.has(name)) {
      const isShown = this.#received.tlv_loc[name] === tlv.offset;
      return isShown ? this.#new(name, this.#given.get(name), place) : [];
    }
    // Behind one that is shown outside there may be another inside.
    const isKept = shown === place || shown === "outside" && place === "inside";
    if (!isKept) return [];
    this.#written.add(name);
    return [tlv];
  }

  /** A value that is given, unless its name stands in the list already. */
  #new(name: string, value: TlvValue, place: Place): TlvEntry[] {
    const entry = namedEntry(name, value);
    if (this.#written.has(name) || this.#placeOf(name) !== place) return [];
    this.#written.add(name);
    return [entry];
  }

  /** Where a name is to stand; `undefined` where it goes with its SSL. */
  #placeOf(name: string): Place | undefined {
    const ssl = this.#ssl;
    const rule = nameRule(name);
    const offset = this.#received.tlv_loc[name] ?? NaN;
    const wasInside = ssl !== undefined && offset > ssl.offset &&
      offset < endOf(ssl);
    if (!this.#writesSsl) {
      const isGone = isSslSubtype(rule?.type ?? NaN) ||
        wasInside && !this.changed.has(name);
      const isSslGone = ssl !== undefined || this.#given.get("SSL") === false;
      return isGone && isSslGone ? undefined : "outside";
    }
    const wasBeside = ssl !== undefined && offset >= 0 && !wasInside;
    return wasInside || !wasBeside && rule?.isSslSub ? "inside" : "outside";
  }
}

/** The value of an entry as it is written. */
function bytesOf(entry: TlvEntry): Uint8Array {
  const block = newBlock(entriesLength([entry]));
  writeEntries([entry], block, 0);
  return block.bytes.subarray(TLV_HEADER_LENGTH);
}

function isSsl({ type }: LocatedTlv): boolean {
  return type === TLV_TYPES.SSL;
}

/** Sub-TLVs of SSL, at their offsets from the first TLV of the header. */
function subTlvs({ offset, value }: LocatedTlv): LocatedTlv[] {
  const base = offset + TLV_HEADER_LENGTH + SSL_FIXED_LENGTH;
  return wholeTlvs(value.subarray(SSL_FIXED_LENGTH))
    .map((tlv) => ({ ...tlv, offset: base + tlv.offset }));
}

function endOf({ offset, value }: LocatedTlv): number {
  return offset + TLV_HEADER_LENGTH + value.length;
}

/** Whether sub-TLVs fill an SSL TLV. */
function isWellFormed(ssl: LocatedTlv): boolean {
  const last = subTlvs(ssl).at(-1);
  const start = ssl.offset + TLV_HEADER_LENGTH + SSL_FIXED_LENGTH;
  return (last === undefined ? start : endOf(last)) === endOf(ssl);
}

function isSame(value: TlvValue, other: TlvValue): boolean {
  if (!(value instanceof Uint8Array) || !(other instanceof Uint8Array)) {
    return value === other;
  }
  return value.length === other.length &&
    value.every((byte, i) => byte === other[i]);
}
