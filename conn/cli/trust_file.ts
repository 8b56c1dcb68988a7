import type { Address } from "../../codec/mod.ts";
import { trustList } from "../admission/trust.ts";
import { readText } from "./files.ts";
import { reasonOf } from "./io.ts";

/** Interval in ms to read the file. */
const LOOK_INTERVAL = 1000;

/** A file of ranges, one in a line, which may change while they are in force. */
export class TrustFile {
  readonly #path: string;
  #isListed: (hop: Address) => boolean;
  /** What was read last: it is in force, or has been reported. */
  #handled: string;
  /** What the last look has found, if it is another text. */
  #found: string | undefined;
  #isMissing = false;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#handled = text;
    this.#isListed = trustList(readEntries(text));
  }

  /**
   * Reads the file.
   *
   * @throws {Error} if it cannot be read, or an entry is wrong.
   */
  static async open(path: string): Promise<TrustFile> {
    return new TrustFile(path, await readText(path));
  }

  /** Whether the file lists a peer. */
  trusts(hop: Address): boolean {
    return this.#isListed(hop);
  }

  /** Reads the file again at once; returns what to report. */
  async reload(): Promise<string> {
    try {
      return this.#use(await readText(this.#path));
    } catch (error) {
      return this.#failure(error);
    }
  }

  /**
   * Looks at the file until it is stopped. A change is in force when two looks have
   * found the same text: the first one may find half of what is being written. The
   * text is compared, because watching is lost when a file is replaced.
   */
  watch(report: (line: string) => void): { stop(): void } {
    const timer = setInterval(async () => {
      const line = await this.look();
      if (line !== undefined) report(line);
    }, LOOK_INTERVAL);
    return { stop: () => clearInterval(timer) };
  }

  /** Looks once; returns what to report, if anything. */
  async look(): Promise<string | undefined> {
    const wasMissing = this.#isMissing;
    let text: string;
    try {
      text = await readText(this.#path);
      this.#isMissing = false;
    } catch (error) {
      this.#isMissing = true;
      return wasMissing ? undefined : this.#failure(error);
    }
    const isStable = text === this.#found;
    this.#found = text;
    return isStable && text !== this.#handled ? this.#use(text) : undefined;
  }

  #use(text: string): string {
    this.#handled = text;
    try {
      const entries = readEntries(text);
      this.#isListed = trustList(entries);
      return `Reloaded ${this.#path}, which lists ${entries.length}`;
    } catch (error) {
      return this.#failure(error);
    }
  }

  #failure(error: unknown): string {
    return `Cannot reload ${this.#path}, the former list stays in force: ${
      reasonOf(error)
    }`;
  }
}

/** Entries, without comments and empty lines. */
function readEntries(text: string): string[] {
  return text.split("\n").flatMap((line, i) => {
    const entry = line.replace(/#.*/, "").trim();
    if (entry === "") return [];
    try {
      trustList([entry]);
    } catch (cause) {
      const reason = reasonOf(cause).replace(/^Cannot read list\[0\]: /, "");
      throw new TypeError(`line ${i + 1}: ${reason}`, { cause });
    }
    return [entry];
  });
}
