/**
 * Changes to a header: of its bytes, and of what it is made of, so that most of
 * them get past the first checks.
 *
 * @module
 */

import { concat } from "../../_bytes.ts";
import { ascii, hex } from "../../codec/_hex.ts";
import {
  setChecksum,
  setLength,
  tlv,
  tlv_startOf,
  TYPES,
  valueOf,
} from "./_header.ts";
import type { Random } from "./_random.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Bytes that mean something somewhere in a header. */
const TELLING: readonly number[] = Array.from(
  hex("000102030405 0a0c0d 10111213 20212231 2e303a 66 7f80 e0 ff"),
);

/** Lengths that mean something somewhere. */
const LENGTHS: readonly number[] = [0, 1, 2, 3, 4, 5, 11, 12, 13, 35, 36, 37]
  .concat([128, 129, 215, 216, 217, 255, 256, 4080, 4081, 65535]);

/** Words of a line, good and bad. */
const WORDS: readonly string[] =
  ("PROXY TCP4 TCP6 TCP UNKNOWN UDP4 tcp4 0 00 1 01 +1 -0 1_0 65535 65536 " +
    "0.0.0.0 255.255.255.255 256.0.0.1 01.2.3.4 1.2.3 1.2.3.4.5 1..2.3 " +
    ":: ::1 1:: : ::: 1::2::3 1:2:3:4:5:6:7:8 1:2:3:4:5:6:7:: ::2:3:4:5:6:7:8 " +
    "1:2:3:4:5:6:7:8:9 12345:: ::g ::ffff:1.2.3.4 ::FFFF:0102:0304 " +
    "1:2:3:4:5:6:1.2.3.4 ::1.2.3 ::1.2.3.4:5 fe80::1%0 [::1] 1:2:3:4:5:6:7")
    .split(" ").concat("", "\r\n", "\r", "\n", "1\r", "\t1", "1\xa0");

/** A header with one to three changes; `another` makes one to splice into it. */
export function mutated(
  header: Bytes,
  another: () => Bytes,
  random: Random,
): Uint8Array<ArrayBuffer> {
  let bytes = header;
  for (let left = 1 + random.below(3); left > 0; left--) {
    bytes = changed(bytes, another, random);
  }
  if (bytes[0] !== 0x0d || bytes.length < 16) return bytes;
  const isLengthRight = random.below(3) > 0;
  const isChecksumRight = random.below(4) > 0;
  if (isLengthRight || isChecksumRight) bytes = bytes.slice();
  if (isLengthRight) setLength(bytes);
  if (isChecksumRight) setChecksum(bytes);
  return bytes;
}

function changed(bytes: Bytes, another: () => Bytes, random: Random): Bytes {
  const isKnown = random.below(3) > 0;
  if (isKnown && bytes[0] === 0x50) return changedLine(bytes, random);
  if (isKnown && bytes.length >= 16) return changedBinary(bytes, random);
  return changedBytes(bytes, another, random);
}

/** Any bytes: a bit, a byte, some bytes more or less, another header's. */
function changedBytes(
  bytes: Bytes,
  another: () => Bytes,
  random: Random,
): Bytes {
  // In front of these bytes next to every change is the end of it.
  const signature = Math.min(bytes[0] === 0x50 ? 6 : 12, bytes.length);
  const first = random.oneIn(6) ? 0 : signature;
  const at = first + random.below(bytes.length - first + 1);
  switch (random.below(8)) {
    case 0: {
      const copy = bytes.slice();
      copy[at] = (copy[at] ?? 0) ^ 1 << random.below(8);
      return copy;
    }
    case 1: {
      const copy = bytes.slice();
      copy[at] = random.pick(TELLING);
      return copy;
    }
    case 2:
      return spliced(bytes, at, 0, random.bytes(1 + random.below(3)));
    case 3:
      return spliced(bytes, at, 1 + random.below(8));
    case 4: {
      const chunk = bytes.slice(at, at + 1 + random.below(16));
      return spliced(bytes, random.below(bytes.length + 1), 0, chunk);
    }
    case 5:
      return bytes.slice(0, at);
    case 6:
      return concat([bytes, random.bytes(random.below(40))]);
    default: {
      const other = another();
      const from = random.oneIn(2) ? at : random.below(other.length + 1);
      return spliced(bytes, at, bytes.length, other.subarray(from));
    }
  }
}

function spliced(
  bytes: Bytes,
  at: number,
  count: number,
  inserted: Uint8Array = new Uint8Array(),
): Bytes {
  return concat([bytes.subarray(0, at), inserted, bytes.subarray(at + count)]);
}

/** Words of a line, exchanged, doubled, lost, or in another order. */
function changedLine(bytes: Bytes, random: Random): Bytes {
  let text = "";
  for (const byte of bytes.subarray(0, 200)) text += String.fromCharCode(byte);
  const end = text.indexOf("\r\n");
  const words = (end < 0 ? text : text.slice(0, end)).split(" ");
  const tail = end < 0 ? "" : text.slice(end);
  const at = random.below(words.length);
  const to = random.below(words.length);
  const word = words[at] ?? "";
  switch (random.below(7)) {
    case 0:
    case 1:
      words[at] = random.pick(WORDS);
      break;
    case 2:
      words.splice(to, 0, word);
      break;
    case 3:
      words.splice(at, 1);
      break;
    case 4:
      words[at] = words[to] ?? "";
      words[to] = word;
      break;
    case 5: {
      const place = random.below(word.length + 1);
      words[at] = word.slice(0, place) + random.pick(WORDS) +
        word.slice(place + random.below(3));
      break;
    }
    default:
      return ascii(words.join(" ") + random.pick(["\n", "\r", "", " \r\n"]));
  }
  return ascii(words.join(" ") + tail);
}

/** The fixed part and the TLVs of a v2 header. */
function changedBinary(bytes: Bytes, random: Random): Bytes {
  switch (random.below(5)) {
    case 0: {
      const copy = bytes.slice();
      copy[12] = random.oneIn(3) ? random.below(256) : 0x20 + random.below(3);
      return copy;
    }
    case 1: {
      const copy = bytes.slice();
      copy[13] = random.oneIn(3)
        ? random.below(256)
        : random.below(4) << 4 | random.below(4);
      return copy;
    }
    case 2: {
      const copy = bytes.slice();
      setAround(copy, 14, random);
      return copy;
    }
    default: {
      const start = tlv_startOf(bytes);
      return spliced(
        bytes,
        start,
        bytes.length,
        changedTlvs(bytes.slice(start), random),
      );
    }
  }
}

/** A length field, to something near it or to something telling. */
function setAround(bytes: Bytes, at: number, random: Random): void {
  if (at + 2 > bytes.length) return;
  const view = new DataView(bytes.buffer, at);
  const near = view.getUint16(0) + random.below(9) - 4;
  view.setUint16(0, random.oneIn(2) ? near : random.pick(LENGTHS));
}

/** TLVs, or the sub-TLVs of an SSL. */
function changedTlvs(bytes: Bytes, random: Random): Bytes {
  const offsets = offsetsOf(bytes);
  const added = () => {
    const type = random.pick(TYPES);
    return tlv(type, valueOf(type, random));
  };
  const at = offsets.length === 0 ? undefined : random.pick(offsets);
  if (at === undefined) return concat([added(), bytes]);
  const next = at + 3 + lengthAt(bytes, at);
  if (bytes[at] === 0x20 && next - at >= 8 && random.below(3) > 0) {
    const inside = changedTlvs(bytes.slice(at + 8, next), random);
    const value = concat([bytes.subarray(at + 3, at + 8), inside]);
    return spliced(bytes, at, next - at, tlv(0x20, value));
  }
  switch (random.below(8)) {
    case 0: {
      const copy = bytes.slice();
      copy[at] = random.oneIn(4) ? random.below(256) : random.pick(TYPES);
      return copy;
    }
    case 1: {
      const copy = bytes.slice();
      setAround(copy, at + 1, random);
      return copy;
    }
    case 2:
      return spliced(bytes, at, next - at);
    case 3:
      return spliced(bytes, at, 0, added());
    case 4:
      return spliced(bytes, at, next - at, added());
    case 5: {
      const moved = bytes.slice(at, next);
      const rest = spliced(bytes, at, next - at);
      return spliced(rest, random.pick([0, rest.length]), 0, moved);
    }
    case 6:
      return spliced(
        bytes,
        random.pick(offsets),
        0,
        bytes.slice(at, next),
      );
    default:
      return spliced(
        bytes,
        at,
        next - at,
        tlv(0x20, concat([random.bytes(5), bytes.slice(at, next)])),
      );
  }
}

/** Where TLVs begin, as far as they fit. */
function offsetsOf(bytes: Bytes): number[] {
  const offsets: number[] = [];
  let at = 0;
  while (at + 3 <= bytes.length) {
    offsets.push(at);
    at += 3 + lengthAt(bytes, at);
  }
  return offsets;
}

function lengthAt(bytes: Bytes, at: number): number {
  return (bytes[at + 1] ?? 0) << 8 | (bytes[at + 2] ?? 0);
}
