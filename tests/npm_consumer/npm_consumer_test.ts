/**
 * The package as somebody gets it from npm: what is published, as JavaScript
 * and declarations, installed into empty projects.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { run } from "../on/bun/_run.ts";
import { BIN, install, mustRun, pack, ROOT } from "./_package.ts";
import { attwScript, bunProgram, nodeProgram, publintScript } from "../_npm.ts";
import {
  BUN,
  NODE,
  NODE_TYPES,
  OLDEST_NODE,
  TYPESCRIPT,
  TYPESCRIPT_IN_ITSELF,
  UNDICI,
} from "../_versions.ts";

const TARBALL = "package.tgz";

/** The oldest Node that is supported, and the newest that has long-term support. */
const NODES = [OLDEST_NODE, NODE];

/**
 * Programs, and who checks them with which types around: the last TypeScript
 * written in itself, and the native one.
 */
const CHECKS = [
  {
    file: "_neutral_types.ts",
    compiler: TYPESCRIPT_IN_ITSELF,
    lib: ["esnext", "dom", "dom.asynciterable"],
    types: [],
  },
  {
    file: "_node_types.ts",
    compiler: TYPESCRIPT,
    lib: ["esnext"],
    types: ["node"],
  },
  {
    file: "_sender_types.ts",
    compiler: TYPESCRIPT,
    lib: ["esnext", "dom", "dom.iterable"], // of undici
    types: ["node"],
  },
];

/** An empty project beside the tarball, with files of this folder in it. */
async function makeProject(
  folder: string,
  name: string,
  files: readonly string[],
): Promise<string> {
  const project = `${folder}/${name}`;
  await Deno.mkdir(project);
  await Deno.writeTextFile(`${project}/package.json`, '{"type":"module"}');
  for (const file of files) {
    await Deno.copyFile(
      new URL(file, import.meta.url),
      `${project}/${file}`,
    );
  }
  return project;
}

/** The path of programs with that of one before all others. */
function pathBefore(program: string): string {
  const folder = program.slice(0, program.lastIndexOf("/"));
  return `${folder}:${Deno.env.get("PATH")}`;
}

/** Strict, and with the declarations of the package checked as well. */
function strict(file: string, lib: string[], types: string[]): string {
  return JSON.stringify({
    compilerOptions: {
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      target: "esnext",
      module: "nodenext",
      lib,
      types,
    },
    files: [file],
  });
}

Deno.test("the package works from npm", async (t) => {
  const folder = await Deno.makeTempDir({ prefix: "npm-consumer-" });
  try {
    await pack(`${folder}/${TARBALL}`, "owner/name");
    const nodeProject = await makeProject(folder, "node", [
      "_client.js",
      "_node_project.js",
    ]);
    await install(nodeProject, `../${TARBALL}`);

    await t.step(
      "its files are those that are published, and no others",
      async () => {
        const { all } = await run(
          [Deno.execPath(), "publish", "--dry-run", "--allow-dirty"],
          ROOT,
        );
        const published = [...all.matchAll(/^ +file:\S+\/(\S+\.ts) \(/gm)]
          .map(([, name = ""]) => name.replace(/\.ts$/, ".js"));
        const packed = await mustRun(folder, "tar", "tzf", TARBALL);
        const scripts = packed.trim().split("\n")
          .filter((path) => path.endsWith(".js") && path !== `package/${BIN}`)
          .map((path) => path.slice(path.lastIndexOf("/") + 1));
        assertEquals(scripts.toSorted(), published.toSorted());
        assertStringIncludes(packed, "package/conn/node.d.ts");
      },
    );

    await t.step("publint finds nothing wrong with it", async () => {
      await mustRun(
        folder,
        ...[nodeProgram(), publintScript(), "run", TARBALL] as const,
        "--strict",
      );
    });

    await t.step("its types resolve as its code does", async () => {
      await mustRun(
        folder,
        ...[nodeProgram(), attwScript(), TARBALL] as const,
        ...["--profile", "esm-only"], // CommonJS requires it, which runs as well
      );
    });

    await t.step("npm learns from which repository it is", async () => {
      const { repository } = JSON.parse(
        await mustRun(folder, "tar", "xzOf", TARBALL, "package/package.json"),
      );
      assertEquals(repository.url, "git+https://github.com/owner/name.git");
    });

    const line = "50524f585920554e4b4e4f574e0d0a";
    for (const node of NODES) {
      await t.step(`npx proxy-protocol decodes on Node ${node}`, async () => {
        const output = await mustRun(
          nodeProject,
          ...["env", `PATH=${pathBefore(nodeProgram(node))}`] as const,
          ...["npx", "--no", "proxy-protocol", "decode", line],
        );
        assertStringIncludes(output, "PROXY v1 header, UNKNOWN, 15 bytes");
      });
    }

    for (const node of NODES) {
      await t.step(`a header is received by Node ${node}`, async () => {
        const output = await mustRun(
          nodeProject,
          nodeProgram(node),
          "_node_project.js",
        );
        assertStringIncludes(output, "received on Node");
      });
    }

    await t.step(
      "a header is received by Bun, and bunx decodes one",
      async () => {
        const project = await makeProject(folder, "bun", [
          "_client.js",
          "_bun_project.js",
        ]);
        const bun = bunProgram();
        await mustRun(project, bun, "add", "--ignore-scripts", `../${TARBALL}`);
        assertEquals(
          await mustRun(project, bun, "_bun_project.js"),
          `received on Bun ${BUN}\n`,
        );
        assertStringIncludes(
          await mustRun(
            project,
            ...[bun, "x", "--bun", "--no-install", "proxy-protocol"] as const,
            ...["decode", line],
          ),
          "PROXY v1 header, UNKNOWN, 15 bytes",
        );
      },
    );

    const typesProject = await makeProject(
      folder,
      "types",
      CHECKS.map(({ file }) => file),
    );
    for (const { file, compiler, lib, types } of CHECKS) {
      await t.step(`its types suit ${compiler}: ${file}`, async () => {
        await install(
          typesProject,
          `../${TARBALL}`,
          compiler,
          NODE_TYPES,
          UNDICI,
        );
        await Deno.writeTextFile(
          `${typesProject}/tsconfig.json`,
          strict(file, lib, types),
        );
        await mustRun(typesProject, "npx", "tsc", "-p", ".");
      });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
