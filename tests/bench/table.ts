/** Rows of cells as a Markdown table, first column left, numbers right. */
export function table(names: string[], rows: readonly string[][]): string {
  const widths = names.map((name, i) =>
    Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0))
  );
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, i) =>
        i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)
      ).join(" | ")
    } |`;
  const rule = widths.map((width, i) =>
    "-".repeat(width - (i === 0 ? 0 : 1)) + (i === 0 ? "" : ":")
  );
  return [line(names), line(rule), ...rows.map(line)].join("\n");
}
