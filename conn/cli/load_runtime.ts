import type { Runtime } from "./runtime.ts";

/** The driver of the runtime that this runs on; the others are not loaded. */
export async function loadRuntime(): Promise<Runtime> {
  if ("Deno" in globalThis) return (await import("./runtimes/deno.ts")).DENO;
  if ("Bun" in globalThis) return (await import("./runtimes/bun.ts")).BUN;
  return (await import("./runtimes/node.ts")).NODE;
}
