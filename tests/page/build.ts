/**
 * Builds the page of `listen --ui` into one file: `conn/cli/page.ts`, which the
 * command line serves, or with `--html FILE` the page by itself.
 *
 * @module
 */

import { esbuildProgram } from "../_npm.ts";

const SOURCES = new URL("../../conn/cli/page/", import.meta.url);

/** The module that holds the page. */
export const PAGE_MODULE: URL = new URL(
  "../../conn/cli/page.ts",
  import.meta.url,
);

async function read(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(name, SOURCES));
}

/** Bundles a file of the page. */
async function bundle(name: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(esbuildProgram(), {
    args: [
      new URL(name, SOURCES).pathname,
      ...["--bundle", "--minify", "--target=es2024", "--charset=utf8"],
      // What a script must not contain within HTML.
      "--supported:inline-script=false",
    ],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** How a policy names an inline style or script. */
async function hashOf(text: string): Promise<string> {
  const bytes = new TextEncoder().encode(text);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `'sha256-${digest.toBase64()}'`;
}

/** Returns the page, whole. */
export async function buildPage(): Promise<string> {
  const [html, style, script] = await Promise.all([
    read("page.html"),
    bundle("style.css"),
    bundle("app.ts"),
  ]);
  const policy = [
    "default-src 'none'",
    `style-src ${await hashOf(style)}`,
    `script-src ${await hashOf(script)}`,
    ...["connect-src 'self'", "img-src data:"],
    ...["base-uri 'none'", "form-action 'none'"],
  ].join("; ");
  const parts: Record<string, string> = {
    'content=""': `content="${policy}"`,
    "<style></style>": `<style>${style}</style>`,
    "<script></script>": `<script>${script}</script>`,
  };
  return Object.entries(parts).reduce((page, [hole, part]) => {
    if (page.split(hole).length !== 2) throw new Error(`No single ${hole}`);
    return page.replace(hole, () => part);
  }, html);
}

/** Returns the module that holds the page. */
export async function buildModule(): Promise<string> {
  return `// Built from the folder page by \`deno task page\`; edit that instead.
// deno-fmt-ignore-file

/** The page of \`listen --ui\`, whole. */
export const PAGE: string = ${JSON.stringify(await buildPage())};
`;
}

if (import.meta.main) {
  const [option, file] = Deno.args;
  if (option === "--html" && file !== undefined) {
    await Deno.writeTextFile(file, await buildPage());
  } else await Deno.writeTextFile(PAGE_MODULE, await buildModule());
}
