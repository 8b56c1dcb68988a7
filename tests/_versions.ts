/** The packages of npm that other runtimes come from, each version once. */

export const BUN_PACKAGE = "bun@1.4.5";
export const NODE_PACKAGE = "node@24";
