/**
 * In which direction files may import, and which may name a runtime.
 *
 * @module
 */

/** A direction in which nothing is imported. */
export interface Rule {
  /** What is forbidden, as a sentence. */
  says: string;
  from: RegExp;
  to: RegExp;
  /** Only what a file imports itself counts, not what that imports in turn. */
  isDirect?: boolean;
}

/** What is entered from outside, or belongs to one runtime. */
const ENTRY_POINT = /^(mod|conn\/(bun|deno|node|cli|register|testing))\.ts$/;
const DRIVER = /^conn\/(native|bun|deno|node)\//;
const RUNTIME = /^(node|bun|cloudflare):/;

/** Drivers, each with its entry point. */
const NATIVE = /^conn\/native\//;
const BUN = /^conn\/bun(\/|\.ts$)/;
const DENO = /^conn\/deno(\/|\.ts$)/;
const NODE = /^conn\/node(\/|\.ts$)/;

/** Files that may name a runtime. */
export const MAY_NAME_A_RUNTIME =
  /^conn\/(bun|deno|node|cli|register|testing)(\/|\.ts$)/;

/** The directions. */
export const RULES: readonly Rule[] = [
  {
    says: "codec/ imports nothing but codec/",
    from: /^codec\//,
    to: /^(?!codec\/)/,
    isDirect: true,
  },
  {
    says: "conn/ and mod.ts import of codec/ only mod.ts and internal.ts",
    from: /^(conn\/|mod\.ts$)/,
    to: /^codec\/(?!(mod|internal)\.ts$)/,
    isDirect: true,
  },
  {
    says: "what is shipped imports no package",
    from: /^(codec\/|conn\/|mod\.ts$)/,
    to: /^(?!(codec|conn)\/|mod\.ts$|node:)/,
    isDirect: true,
  },
  {
    says: "conn/admission/ imports no driver, no entry point and no runtime",
    from: /^conn\/admission\//,
    to: anyOf(DRIVER, ENTRY_POINT, RUNTIME),
  },
  {
    says: "conn/sending/ imports no driver, no entry point and no runtime",
    from: /^conn\/sending\//,
    to: anyOf(DRIVER, ENTRY_POINT, RUNTIME),
  },
  {
    says: "the driver of native connections imports no other driver",
    from: NATIVE,
    to: anyOf(BUN, DENO, NODE),
  },
  {
    says: "the driver of Bun imports no other driver",
    from: BUN,
    to: anyOf(NATIVE, DENO, NODE),
  },
  {
    says: "serveHttp of Deno imports no driver of Bun or Node",
    from: DENO,
    to: anyOf(BUN, NODE),
  },
  {
    says: "the driver of Node imports no other driver",
    from: NODE,
    to: anyOf(NATIVE, BUN, DENO),
  },
  {
    says: "mod.ts loads everywhere: nothing that it imports needs a runtime",
    from: /^mod\.ts$/,
    to: RUNTIME,
  },
];

function anyOf(...patterns: readonly RegExp[]): RegExp {
  return new RegExp(patterns.map(({ source }) => source).join("|"));
}
