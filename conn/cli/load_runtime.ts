import type { Runtime } from "./runtime.ts";

/** Returns the driver of the current runtime. The other drivers are not loaded. */
export async function loadRuntime(): Promise<Runtime> {
  if ("Deno" in globalThis) return (await import("./runtimes/deno.ts")).DENO;
  if ("Bun" in globalThis) return (await import("./runtimes/bun.ts")).BUN;
  return (await import("./runtimes/node.ts")).NODE;
}
