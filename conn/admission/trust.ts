import { quote, suggestion } from "../../codec/internal.ts";
import type { Address } from "../../codec/mod.ts";
import { unmapped, withoutZone } from "../_ends.ts";
import type { Trust, Untrusted } from "../types.ts";
import { contains, octetsOf, readRanges } from "./ranges.ts";

/** Whether a peer is trusted, or served directly. */
export type Trusts = (hop: Address) => boolean;

/**
 * Reads `trust` once.
 *
 * @throws {TypeError} if it is of the wrong kind, or has an entry that
 * {@link trustList} rejects.
 */
export function readTrust(trust: Trust): Trusts {
  if (trust === "any") return () => true;
  if (trust === "none") return () => false;
  if (typeof trust === "function") return readFunction("trust", trust, BOOLEAN);
  const expected = 'expected a list, a function, "any" or "none"';
  return readList("trust", trust, expected, ["any", "none"]);
}

/**
 * Reads `untrusted` once: whether a peer that is not trusted is served directly.
 *
 * @throws {TypeError} if it is of the wrong kind, or has an entry that
 * {@link trustList} rejects.
 */
export function readUntrusted(untrusted: Untrusted): Trusts {
  if (untrusted === "direct") return () => true;
  if (untrusted === "reject") return () => false;
  if (typeof untrusted === "function") {
    return readFunction("untrusted", untrusted, WORDS);
  }
  const expected = 'expected "reject", "direct", a list or a function';
  return readList("untrusted", untrusted, expected, [...WORDS.keys()]);
}

/**
 * Compiles a list of {@link Trust} to a function that returns whether an address
 * is in the list. Use it in your own `trust` or `untrusted` function.
 *
 * The list is read once. To replace the list while a server runs, pass the
 * server a function that calls the current list.
 *
 * @throws {TypeError} for an entry that is not an address, range or name. The
 * message suggests the entry that you probably meant.
 *
 * @example A list that is replaced while the server runs
 * ```ts ignore
 * import { proxied, trustList } from "@edgewire/proxy-protocol";
 *
 * let isProxy = trustList(["192.0.2.7"]);
 * const listener = proxied(Deno.listen({ port: 8080 }), {
 *   trust: (hop) => isProxy(hop), // called for each new connection
 * });
 * isProxy = trustList(["192.0.2.7", "10.0.0.0/8"]); // as after a reload
 * for await (const conn of listener) {
 *   console.log(conn.remoteAddr); // { transport: "tcp", hostname: "192.0.2.7", port: 51234 }
 *   conn.close();
 * }
 * ```
 */
export function trustList(list: readonly string[]): (hop: Address) => boolean {
  return readList("list", list, "expected a list");
}

function readList(
  name: string,
  list: unknown,
  expected: string,
  words: readonly string[] = [],
): Trusts {
  if (!Array.isArray(list)) {
    throw new TypeError(
      `Cannot read ${name}: ${expected}, received ${quote(list)}${
        typeof list === "string" ? listHint(name, list, words) : ""
      }`,
    );
  }
  const entries: readonly unknown[] = list;
  const hasUnix = entries.includes("unix");
  const ranges = entries.flatMap((entry, i) =>
    entry === "unix" ? [] : readRanges(`${name}[${i}]`, entry)
  );
  // Proxies are few: the last answer is mostly the next, and saves over 1 us.
  let last: string | undefined;
  let isLastIn = false;
  return (hop) => {
    if ("path" in hop) return hasUnix;
    if (hop.hostname === last) return isLastIn;
    const octets = octetsOf(hop.hostname);
    last = hop.hostname;
    isLastIn = octets !== undefined &&
      ranges.some((range) => contains(range, octets));
    return isLastIn;
  };
}

/** The word or the list that was meant; empty if there is none to be seen. */
function listHint(
  name: string,
  text: string,
  words: readonly string[],
): string {
  const meant = suggestion(text, words);
  if (meant !== "") return meant;
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
  try {
    readList(name, entries, "");
  } catch {
    return "";
  }
  return entries.length === 0 ? "" : `, use [${entries.map(quote).join(", ")}]`;
}

/** What a function may answer, and what that means. */
type Answers = ReadonlyMap<unknown, boolean>;

/** Of `trust`; code without types may answer nothing for no. */
const BOOLEAN: Answers = new Map<unknown, boolean>([
  [true, true],
  [false, false],
  [undefined, false],
  [null, false],
]);

/** Of `untrusted`. */
const WORDS = new Map<string, boolean>([["reject", false], ["direct", true]]);

/**
 * Makes a function of the user's one that answers `true` or `false`. It throws
 * a TypeError if the answer is another: a promise would be true for everybody.
 *
 * @throws {TypeError} if the function is async.
 */
function readFunction(
  name: "trust" | "untrusted",
  ask: (hop: Address) => unknown,
  answers: Answers,
): Trusts {
  const expected = name === "trust" ? "true or false" : '"reject" or "direct"';
  if (/Async/.test(Object.prototype.toString.call(ask))) {
    throw new TypeError(
      `Cannot read ${name}: expected a function that returns ${expected}, received an async one; use verify to wait for something`,
    );
  }
  return (hop) => {
    if (!isKnown(hop)) return false;
    const answer = ask(plainAddress(hop));
    const meaning = answers.get(answer);
    if (meaning !== undefined) return meaning;
    throw new TypeError(
      `expected ${expected}, received ${
        isPromise(answer) ? "a promise" : quote(answer)
      }`,
    );
  };
}

/** Whether it is a promise; if it rejects, that must not end the process. */
function isPromise(answer: unknown): boolean {
  if (typeof answer !== "object" || answer === null) return false;
  if (!("then" in answer)) return false;
  Promise.resolve(answer).catch(() => {});
  return true;
}

/** Whether a peer has an address at all: no function is asked about one without. */
function isKnown(hop: Address): boolean {
  return "path" in hop || hop.hostname !== "";
}

/** The address as IPv4 if it is mapped, and without its zone id. */
function plainAddress(address: Address): Address {
  if ("path" in address) return address;
  const plain = unmapped(address);
  return plain === address
    ? { ...address, hostname: withoutZone(address.hostname) }
    : plain;
}
