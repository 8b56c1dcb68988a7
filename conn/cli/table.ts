import type { ProxyInfo } from "../../codec/mod.ts";
import { anatomy, type Field } from "./anatomy.ts";
import { toHex } from "./hex.ts";

/** Bytes in a line of the table. */
const LINE_LENGTH = 16;

const TITLES = ["offset", "bytes", "section", "field", "meaning"] as const;

/** A header as a table of all its bytes. */
export function table(info: ProxyInfo): string {
  const rows = [TITLES, ...anatomy(info).flatMap(rowsOf)];
  const widths = TITLES.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  // Padding the last column would be quadratic, because one long value makes it wide.
  widths[TITLES.length - 1] = 0;
  return rows.map((row) =>
    row.map((cell, column) =>
      column === 0
        ? cell.padStart(widths[column] ?? 0)
        : cell.padEnd(widths[column] ?? 0)
    ).join("  ").trimEnd()
  ).join("\n");
}

/** Returns a field in one line, or in several if it has many bytes. */
function rowsOf(
  { offset, groups, section, name, meaning, isNested }: Field,
): string[][] {
  const lines = hexLines(groups);
  return lines.map((hex, i) =>
    i === 0
      ? [`${offset}`, hex, section, `${isNested ? "  " : ""}${name}`, meaning]
      : ["", hex, "", "", ""]
  );
}

/** Returns groups side by side. Repetitions of a line are replaced by one `*`. */
function hexLines(groups: readonly Uint8Array[]): string[] {
  const lines: string[] = [];
  let line = "";
  let length = 0;
  for (const group of groups) {
    if (length + group.length > LINE_LENGTH && line !== "") {
      lines.push(line);
      line = "";
      length = 0;
    }
    for (let at = 0; at < group.length; at += LINE_LENGTH) {
      if (at > 0) {
        lines.push(line);
        line = "";
        length = 0;
      }
      const part = group.subarray(at, at + LINE_LENGTH);
      line += (line === "" ? "" : " ") + toHex(part);
      length += part.length;
    }
  }
  if (line !== "") lines.push(line);
  return lines.flatMap((text, i) => {
    if (text !== lines[i - 1]) return [text];
    return text === lines[i - 2] ? [] : ["*"];
  });
}
