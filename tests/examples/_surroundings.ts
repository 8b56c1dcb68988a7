/** Where a program runs, by what it names. */

/** What a program needs; `any` is one that runs everywhere. */
export type Needs = "bun" | "deno" | "node" | "workerd" | "any";

const PACKAGE = "@edgewire/proxy-protocol";

/** Entry points that load everywhere. */
const NEUTRAL: readonly string[] = [PACKAGE, `${PACKAGE}/codec`];

/** What only one runtime has, in the order in which it decides. */
const SIGNS: readonly [needs: Needs, sign: RegExp][] = [
  ["bun", new RegExp(`\\bBun\\.|["'](bun(:.*)?|${PACKAGE}/bun)["']`)],
  ["deno", new RegExp(`\\bDeno\\.|["'](@std/.*|${PACKAGE}/(deno|cli))["']`)],
  ["workerd", /\bexport default\b|["']cloudflare:/],
  ["node", /\b(process|Buffer)\./],
];

/** Tells which runtime a program needs. */
export function needsOf(code: string): Needs {
  const bare = code.replaceAll(/(^|\s)\/\/.*$|\/\*[\s\S]*?\*\//gm, "");
  const sign = SIGNS.find(([, sign]) => sign.test(bare));
  if (sign !== undefined) return sign[0];
  const isNeutral = importsOf(code).every((name) => NEUTRAL.includes(name));
  return isNeutral ? "any" : "node";
}

/** Tells whether a program imports packages of npm besides this one. */
export function hasPackages(code: string): boolean {
  return importsOf(code).some((name) =>
    !/^(node:|@std\/)/.test(name) && !name.startsWith(PACKAGE)
  );
}

function importsOf(code: string): string[] {
  return Array.from(
    code.matchAll(/\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g),
    ([, name = ""]) => name,
  );
}
