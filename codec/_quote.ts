/** Longest text of a value that goes into a message. */
const LONGEST_QUOTE = 64;

/** A value in a message: short, and no control character gets into a log. */
export function quote(value: unknown): string {
  if (typeof value === "object") return Object.prototype.toString.call(value);
  if (typeof value !== "string" && typeof value !== "symbol") {
    return String(value);
  }
  const text = String(value);
  const isLong = text.length > LONGEST_QUOTE;
  return JSON.stringify(isLong ? text.slice(0, LONGEST_QUOTE) : text) +
    (isLong ? "..." : "");
}
