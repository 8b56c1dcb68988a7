/**
 * Compiles every fenced program of the README and of the documentation
 * comments, those that are marked `ignore` too.
 *
 * @module
 */

import { compileErrors } from "./_compile.ts";
import { allFences } from "./_fences.ts";

const fences = await allFences();
const errors = await compileErrors(fences);
console.log(errors || `${fences.length} programs compile`);
Deno.exit(errors === "" ? 0 : 1);
