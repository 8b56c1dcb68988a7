/**
 * mod.ts loads anywhere: without a module of a runtime and without a side
 * effect. A program for Bun, Node and Deno alike.
 *
 * @module
 */

import assert from "node:assert/strict";
import process from "node:process";

const runtime = "bun" in process.versions
  ? "Bun"
  : "deno" in process.versions
  ? "Deno"
  : "Node";

/** Everything that an import could change or leave running. */
function surroundings() {
  return {
    globals: Reflect.ownKeys(globalThis).map(String).sort(),
    listeners: process.eventNames().map(String).sort(),
    resources: process.getActiveResourcesInfo?.().sort(),
    prototypes: [Object, Array, Uint8Array, Promise, Error, ReadableStream]
      .map(({ prototype }) => Reflect.ownKeys(prototype).length),
  };
}

for (const name of ["mod.ts", "codec/mod.ts", "conn/bun.ts"]) {
  const title = `${runtime}: ${name} loads without a side effect`;
  try {
    const before = surroundings();
    const loaded: unknown = await import(`../../../${name}`);
    assert(typeof loaded === "object" && loaded !== null);
    assert.deepEqual(surroundings(), before);
    console.log(`(pass) ${title}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`(fail) ${title}`, error);
  }
}
