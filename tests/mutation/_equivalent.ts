/** Mutants of the codec that nobody can tell from it. */

import type { Mutant } from "./_mutants.ts";

/** A mutant, and why it changes nothing that can be seen. */
export interface Equivalent extends Omit<Mutant, "line"> {
  reason: string;
}

export const EQUIVALENT: readonly Equivalent[] = [];
