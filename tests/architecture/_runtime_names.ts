/** Globals that only some runtimes have. */
const NAME_REGEXP = /\b(Deno|Bun)\b|\b(Buffer|process)\b(?=\s*\.)/g;

/** Comments and literals; of template literals the code within stays. */
const PROSE_REGEXP =
  /\/\*[\s\S]*?\*\/|\/\/.*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;

/** The globals of runtimes that code names, each once. */
export function runtimeNames(code: string): string[] {
  const names = code.replace(PROSE_REGEXP, "").matchAll(NAME_REGEXP);
  return [...new Set(Array.from(names, ([name]) => name))];
}
