/** Options as callers give them: one check of names and of values, for the codec and the connections. */

import { quote } from "./_quote.ts";

/**
 * Checks that an object has no name besides `names`, its prototypes included: a
 * name that is misspelt would be lost, and what it asks for with it. `what` is
 * the kind of object in messages, such as `options`.
 *
 * Names of a class count although they are not enumerable, so an instance of
 * `class Admit { trust = []; verify() {} }` passes and a `Map` does not.
 *
 * @throws {TypeError} when it is no object, or has another name.
 */
export function checkNames(
  what: string,
  given: object,
  names: readonly string[],
): void {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(
      `Cannot read ${what}: expected an object, received ${quote(given)}`,
    );
  }
  for (const name in given) {
    if (!names.includes(name)) checkName(what, name, names);
  }
  if (!isLiteral(given)) checkInherited(what, given, names);
}

/**
 * Whether an object has no names but those that a loop sees. A look at its
 * constructor costs 1 ns, one at its prototype 10.
 */
export function isLiteral(given: object): boolean {
  return given.constructor === Object;
}

/**
 * Checks that an object is no instance of a class and inherits nothing: what it
 * says must not depend on how its names are read.
 *
 * @throws {TypeError} when it is or does.
 */
export function checkPlain(what: string, given: object): void {
  const prototype: object | null = Object.getPrototypeOf(given);
  if (prototype === null || isRoot(prototype)) return;
  throw new TypeError(
    `Cannot read ${what}: expected a plain object, received one with a prototype; copy its properties with { ...object }`,
  );
}

/** Checks names that are not enumerable, up to the root of all objects. */
function checkInherited(
  what: string,
  given: object,
  names: readonly string[],
): void {
  let owner: object | null = given;
  while (owner !== null && !isRoot(owner)) {
    for (const name of Object.getOwnPropertyNames(owner)) {
      const isClass = name === "constructor" && owner !== given;
      if (!isClass && !names.includes(name)) checkName(what, name, names);
    }
    owner = Object.getPrototypeOf(owner);
  }
}

/** Whether it is `Object.prototype`, also that of another realm. */
function isRoot(owner: object): boolean {
  return Object.getPrototypeOf(owner) === null &&
    Object.hasOwn(owner, "hasOwnProperty");
}

/** What a program has put on all objects is no option of anybody's. */
function checkName(
  what: string,
  name: string,
  names: readonly string[],
): void {
  if (Object.hasOwn(Object.prototype, name)) return;
  const kind = what === "options" ? "option" : "name";
  throw new TypeError(
    `Cannot read ${what}: unknown ${kind} ${quote(name)}${
      suggestion(name, names)
    }`,
  );
}

/**
 * Checks an option that has few values.
 *
 * @throws {TypeError} when it is another.
 */
export function checkOneOf(
  name: string,
  value: unknown,
  values: readonly unknown[],
): void {
  if (values.includes(value)) return;
  throw new TypeError(
    `Cannot read ${name}: expected ${either(values)}, received ${quote(value)}${
      typeof value === "string"
        ? suggestion(value, values.filter((word) => typeof word === "string"))
        : ""
    }`,
  );
}

/** Values in words, such as `"tcp" or "udp"`. */
export function either(values: readonly unknown[]): string {
  const words = values.map(quote);
  const last = words.pop() ?? "";
  return words.length === 0 ? last : `${words.join(", ")} or ${last}`;
}

/** The question whether a name that is near was meant; empty when none is. */
export function suggestion(name: string, names: readonly string[]): string {
  const near = nearest(name, names);
  return near === undefined ? "" : `, did you mean ${quote(near)}?`;
}

/** Longest name that is looked at: the work grows with its square. */
const LONGEST_NAME = 32;

function nearest(name: string, names: readonly string[]): string | undefined {
  const given = bare(name.slice(0, LONGEST_NAME));
  let found: string | undefined;
  let least = Infinity;
  for (const candidate of names) {
    const meant = bare(candidate);
    const distance = given === meant
      ? 0
      : isShortFor(given, meant)
      ? 1
      : editsBetween(given, meant);
    if (distance < least && distance <= Math.max(1, meant.length / 3)) {
      found = candidate;
      least = distance;
    }
  }
  return found;
}

/** `max_length` and `MaxLength` are alike. */
function bare(name: string): string {
  return name.toLowerCase().replace(/[-_ ]/g, "");
}

/** Whether letters are left out, as in `src` and `dst`. */
function isShortFor(short: string, name: string): boolean {
  if (short.length < 2 || short[0] !== name[0]) return false;
  let at = 0;
  for (const letter of name) if (letter === short[at]) at++;
  return at === short.length;
}

/** Letters to change, add, leave out, or exchange with their neighbours. */
function editsBetween(one: string, other: string): number {
  let previous: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, i) => i);
  for (let i = 1; i <= one.length; i++) {
    const next = [i];
    for (let j = 1; j <= other.length; j++) {
      const isSame = one[i - 1] === other[j - 1];
      const edits = Math.min(
        row[j]! + 1,
        next[j - 1]! + 1,
        row[j - 1]! + (isSame ? 0 : 1),
      );
      const isExchanged = one[i - 1] === other[j - 2] &&
        one[i - 2] === other[j - 1];
      next.push(isExchanged ? Math.min(edits, previous[j - 2]! + 1) : edits);
    }
    previous = row;
    row = next;
  }
  return row[other.length]!;
}
