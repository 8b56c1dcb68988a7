/** Longest text of a value that goes into a message. */
const LONGEST_QUOTE = 64;

/** A value in a message: short, and no control character gets into a log. */
export function quote(value: unknown): string {
  if (typeof value !== "string") return String(value);
  const isLong = value.length > LONGEST_QUOTE;
  return JSON.stringify(isLong ? value.slice(0, LONGEST_QUOTE) : value) +
    (isLong ? "..." : "");
}
