/** Bytes in a line of a dump. */
const LINE_LENGTH = 16;

/** Lines that are shown at the start, and before the marked one. */
const LINES_AROUND = 2;

/** Column of the first byte of a line, after the offset. */
const FIRST_COLUMN = 8;

/**
 * Returns bytes as lines of hex and ASCII, with a pointer under one byte, or after
 * the last byte. Lines far from the start and from the pointer are left out.
 */
export function hexDump(bytes: Uint8Array, mark: number): string {
  const marked = Math.floor(mark / LINE_LENGTH);
  const lines: string[] = [];
  let isGap = false;
  for (let line = 0; line <= marked + 1; line++) {
    const at = line * LINE_LENGTH;
    if (at >= bytes.length && line !== marked) break;
    const isNear = line < LINES_AROUND || line >= marked - LINES_AROUND;
    if (isNear) lines.push(dumpLine(bytes.subarray(at, at + LINE_LENGTH), at));
    else if (!isGap) lines.push("   ...");
    isGap = !isNear;
    if (line === marked) {
      const column = FIRST_COLUMN + 3 * (mark % LINE_LENGTH);
      lines.push(`${" ".repeat(column)}^^ byte ${mark}`);
    }
  }
  return lines.join("\n");
}

function dumpLine(bytes: Uint8Array, at: number): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  const text = Array.from(
    bytes,
    (byte) => byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : ".",
  );
  return `${String(at).padStart(6)}  ${hex.join(" ").padEnd(3 * LINE_LENGTH)} ${
    text.join("")
  }`;
}
