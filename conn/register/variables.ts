import process from "node:process";
import { LARGEST_PORT, quote, suggestion } from "../../codec/internal.ts";
import { readOptions } from "../admission/policy.ts";
import type { ListenerOptions } from "../types.ts";

/** The beginning of each variable. */
export const PREFIX = "PROXY_PROTOCOL_";

/** Options that a variable can set, each as the adapters name it. */
type Options = Pick<
  ListenerOptions<never>,
  | "trust"
  | "untrusted"
  | "header"
  | "timeout"
  | "unmap"
  | "lazy"
  | "maxPending"
>;

/** Settings from the environment. */
export interface Settings {
  readonly options: Options;
  /** Which ports; all if there is no list. */
  readonly ports: ReadonlySet<number> | undefined;
  /** Whether UNIX sockets are behind the PROXY protocol as well: `trust` names them. */
  readonly hasUnix: boolean;
}

/** Variables without the prefix, and what each one says. */
const READERS: Record<string, (text: string) => Partial<Options>> = {
  TRUST: (text) => ({ trust: wordIn(text, ["any", "none"]) ?? itemsOf(text) }),
  UNTRUSTED: (text) => ({
    untrusted: wordIn(text, ["reject", "direct"]) ?? itemsOf(text),
  }),
  HEADER: (text) => ({
    header: oneOf(text, ["require", "optional", "discard"]),
  }),
  TIMEOUT: (text) => ({ timeout: numberIn(text) }),
  UNMAP: (text) => ({ unmap: isTrue(text) }),
  LAZY: (text) => ({ lazy: isTrue(text) }),
  MAX_PENDING: (text) => ({ maxPending: numberIn(text) }),
};

const NAMES: readonly string[] = [...Object.keys(READERS), "PORTS"]
  .map((name) => PREFIX + name);

/**
 * Reads the variables.
 *
 * @throws {TypeError} for one that is missing, misspelt, wrong or not readable,
 * with its name.
 */
export function readVariables(): Settings {
  const env = readEnvironment();
  for (const name of env.keys()) {
    if (NAMES.includes(name)) continue;
    throw new TypeError(
      `Cannot read ${name}: unknown variable${suggestion(name, NAMES)}`,
    );
  }
  if (!env.has(`${PREFIX}TRUST`)) {
    throw new TypeError(
      `Cannot start: ${PREFIX}TRUST is not set, expected the addresses of your proxies, such as 10.0.0.0/8`,
    );
  }
  const options: Options = { trust: "none" };
  for (const [name, read] of Object.entries(READERS)) {
    const text = env.get(PREFIX + name);
    if (text === undefined) continue;
    explained(PREFIX + name, text, () => {
      const option = read(text);
      readOptions<never>({ trust: "none", ...option }); // checks it
      Object.assign(options, option);
    });
  }
  const ports = env.get(`${PREFIX}PORTS`);
  const { trust } = options;
  return {
    options,
    ports: ports === undefined
      ? undefined
      : explained(`${PREFIX}PORTS`, ports, () => portsIn(ports)),
    hasUnix: Array.isArray(trust) && trust.includes("unix"),
  };
}

/** Returns the variables with the prefix. Deno lists names only if all are allowed. */
function readEnvironment(): ReadonlyMap<string, string> {
  const isDeno = "Deno" in globalThis;
  const names = isDeno && !isReadable() ? NAMES : Object.keys(process.env);
  const found = new Map<string, string>();
  for (const name of names) {
    if (!name.startsWith(PREFIX)) continue;
    if (isDeno && !isReadable(name)) {
      throw new TypeError(
        `Cannot read ${name}: not allowed, add --allow-env or --allow-env=${PREFIX}*`,
      );
    }
    const text = process.env[name];
    if (text !== undefined) found.set(name, text);
  }
  return found;
}

/** Whether Deno allows reading a variable, or all of them, without a prompt. */
function isReadable(variable?: string): boolean {
  const { state } = Deno.permissions.querySync({
    name: "env",
    ...(variable !== undefined && { variable }),
  });
  return state === "granted";
}

/** Names the variable that could not be read. */
function explained<T>(name: string, text: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new TypeError(`Cannot read ${name}=${quote(text)}: ${reason}`);
  }
}

function wordIn<const W extends string>(
  text: string,
  words: readonly W[],
): W | undefined {
  return words.find((word) => word === text);
}

function oneOf<const W extends string>(text: string, words: readonly W[]): W {
  const word = wordIn(text, words);
  if (word !== undefined) return word;
  throw new TypeError(
    `expected ${words.join(", ")}${suggestion(text, words)}`,
  );
}

/** Returns the items between commas. An empty item is an error later. */
function itemsOf(text: string): string[] {
  return text.split(",").map((item) => item.trim());
}

function numberIn(text: string): number {
  if (/^\d+$/.test(text) || text === "Infinity") return Number(text);
  throw new TypeError("expected a whole number or Infinity");
}

function isTrue(text: string): boolean {
  if (text === "true" || text === "1") return true;
  if (text === "false" || text === "0") return false;
  throw new TypeError("expected true, 1, false or 0");
}

function portsIn(text: string): Set<number> {
  return new Set(
    itemsOf(text).map((item) => {
      const port = /^\d+$/.test(item) ? Number(item) : 0;
      if (port >= 1 && port <= LARGEST_PORT) return port;
      throw new TypeError(
        `expected ports from 1 to ${LARGEST_PORT}, separated by commas, received ${
          quote(item)
        }`,
      );
    }),
  );
}
