/**
 * Packs the package for npm: `deno run -A tests/npm_consumer/pack.ts FILE`. In a
 * workflow of GitHub, the package names its repository.
 *
 * @module
 */

import { pack } from "./_package.ts";

const [tarball, ...more] = Deno.args;
if (tarball === undefined || more.length > 0) {
  console.error(`Cannot pack: expected one FILE, received ${Deno.args.length}`);
  Deno.exit(2);
}
await pack(tarball, Deno.env.get("GITHUB_REPOSITORY"));
