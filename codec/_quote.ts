/** Longest text of a value that goes into a message. */
const LONGEST_QUOTE = 64;

/** What JSON leaves as it is, though a terminal or a log acts on it: controls, signs of direction, ends of lines. */
const UNSEEN_REGEXP = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/**
 * A value in a message: short, and nothing in it that changes how the rest of a
 * log is shown. All that a peer says goes through here.
 */
export function quote(value: unknown): string {
  if (typeof value === "object" || typeof value === "function") {
    return visible(Object.prototype.toString.call(value));
  }
  if (typeof value !== "string" && typeof value !== "symbol") {
    return String(value);
  }
  const text = String(value);
  const isLong = text.length > LONGEST_QUOTE;
  return quoteText(isLong ? text.slice(0, LONGEST_QUOTE) : text) +
    (isLong ? "..." : "");
}

/** A text of any length in quotes, on one line. */
export function quoteText(text: string): string {
  return visible(JSON.stringify(text));
}

function visible(text: string): string {
  return text.replace(UNSEEN_REGEXP, escaped);
}

/** As JSON escapes: by 16 bits. */
function escaped(character: string): string {
  let text = "";
  for (let i = 0; i < character.length; i++) {
    text += `\\u${character.charCodeAt(i).toString(16).padStart(4, "0")}`;
  }
  return text;
}
