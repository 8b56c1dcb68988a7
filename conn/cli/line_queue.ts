/** How many lines may wait for the reader of a log. */
const MOST_WAITING = 16_384;

/**
 * Writes lines in their order. Waiting lines are joined into one text. While nobody
 * reads, lines above {@link MOST_WAITING} are left out, or they would fill the
 * memory. `onGap` is called with their number before the next text. The result
 * resolves when no line waits any more.
 */
export function lineQueue(
  write: (text: string) => Promise<void>,
  onGap: (count: number) => void,
): (line: string) => Promise<void> {
  let waiting: string[] = [];
  let leftOut = 0;
  let writing: Promise<void> | undefined;
  const writeAll = async () => {
    while (waiting.length > 0) {
      const lines = waiting;
      waiting = [];
      if (leftOut > 0) onGap(leftOut);
      leftOut = 0;
      await write(lines.join("\n"));
    }
    writing = undefined;
  };
  return (line) => {
    if (waiting.length === MOST_WAITING) leftOut++;
    else waiting.push(line);
    return writing ??= writeAll();
  };
}
