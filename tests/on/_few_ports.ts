/** Builds what leaves a process few ports to connect from; see `_few_ports.c`. */

/**
 * Builds it in a folder: what `LD_PRELOAD` is to be, or `undefined` where that
 * cannot be had.
 */
export async function buildFewPorts(
  folder: string,
): Promise<string | undefined> {
  const library = `${folder}/few_ports.so`;
  const source = new URL("_few_ports.c", import.meta.url).pathname;
  const compiler = new Deno.Command("cc", {
    args: ["-shared", "-fPIC", "-o", library, source, "-ldl"],
  });
  const isBuilt = Deno.build.os === "linux" &&
    await compiler.output().then(({ success }) => success, () => false);
  if (isBuilt) return library;
  console.log("skipped: few ports: no C compiler, or not on Linux");
  return undefined;
}
