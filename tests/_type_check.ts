/**
 * Type checks as users of the package have them: strict, by every TypeScript
 * that is supported, with the types of one runtime around the programs.
 *
 * @module
 */

import { nodeProgram, tscProgram } from "./_npm.ts";
import { run } from "./on/bun/_run.ts";
import { TYPESCRIPT, TYPESCRIPT_IN_ITSELF } from "./_versions.ts";

/** What is around a program. */
export interface Surroundings {
  /** Libraries of TypeScript; the language itself is always there. */
  readonly lib?: readonly string[];
  /** Packages whose types are global. */
  readonly types: readonly string[];
}

/** Compilers: the native one, and the last one that is written in itself. */
const COMPILERS: readonly string[] = [TYPESCRIPT, TYPESCRIPT_IN_ITSELF];

/**
 * Checks TypeScript files of a folder, all in one program; returns what the
 * compilers report, an empty text if nothing.
 */
export async function typeErrors(
  folder: string,
  files: readonly string[],
  { lib = [], types }: Surroundings,
  compilers: readonly string[] = COMPILERS,
): Promise<string> {
  const config = {
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      target: "esnext",
      module: "nodenext",
      moduleDetection: "force", // a file without imports is a program too
      allowImportingTsExtensions: true,
      noEmit: true,
      skipLibCheck: true,
      lib: ["esnext", ...lib],
      types,
    },
    files,
  };
  const name = types.join("+").replaceAll("/", "+") || "none";
  const path = `${folder}/tsconfig.${name}.json`;
  await Deno.writeTextFile(path, JSON.stringify(config));
  const reports = await Promise.all(compilers.map(async (compiler) => {
    const command = [nodeProgram(), tscProgram(compiler), "-p", path] as const;
    const { success, all } = await run(command, folder);
    return success ? "" : `${compiler}:\n${all}`;
  }));
  return reports.join("");
}
