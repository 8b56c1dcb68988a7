/** All scenarios of admission: one table for all runtimes. */

import { END_SCENARIOS } from "./_end_scenarios.ts";
import { LAZY_SCENARIOS } from "./_lazy_scenarios.ts";
import { POLICY_SCENARIOS } from "./_policy_scenarios.ts";
import type { Scenario } from "./_scenario.ts";
import { VECTOR_SCENARIOS } from "./_vector_scenarios.ts";
import { VERIFY_SCENARIOS } from "./_verify_scenarios.ts";

/** Each has one expected value, which is that of every runtime. */
export const SCENARIOS: readonly Scenario[] = [
  ...VECTOR_SCENARIOS,
  ...POLICY_SCENARIOS,
  ...END_SCENARIOS,
  ...VERIFY_SCENARIOS,
  ...LAZY_SCENARIOS,
];
