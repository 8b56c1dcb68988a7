/** What workflows may run, and who gets the token that publishes. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { DENO } from "./_versions.ts";

const FOLDER = new URL("../.github/workflows/", import.meta.url);

const WORKFLOWS = Array.from(
  Deno.readDirSync(FOLDER),
  ({ name }) => ({ name, text: Deno.readTextFileSync(new URL(name, FOLDER)) }),
);

/** The jobs of a workflow: what follows a name that is two spaces in. */
function jobsOf(text: string): Map<string, string> {
  const [, jobs = ""] = text.split(/^jobs:$/m);
  const parts = jobs.split(/^ {2}(\w+):$/m).slice(1);
  return new Map(
    Array.from(
      { length: parts.length / 2 },
      (_, i) => [parts[2 * i] ?? "", parts[2 * i + 1] ?? ""],
    ),
  );
}

/** All that a job may do which gets the token: publish the package, or the page. */
const PUBLISHERS = [
  {
    runs: [
      "npm publish ./package.tgz --provenance --access public --ignore-scripts",
    ],
    actions: ["actions/download-artifact"],
  },
  {
    runs: ["npx --ignore-scripts -y deno publish"],
    actions: ["actions/checkout"],
  },
  { runs: [], actions: ["actions/deploy-pages"] },
];

for (const { name, text } of WORKFLOWS) {
  Deno.test(`${name} names actions by their commit, and images by their digest`, () => {
    const actions = [...text.matchAll(/uses: (\S+)/g)].map(([, one]) => one);
    assert(actions.length > 0);
    assertEquals(
      actions.filter((one = "") => !/^[\w./-]+@[0-9a-f]{40}$/.test(one)),
      [],
    );
    const images = [...text.matchAll(/(?:container|image): (\S+)/g)]
      .map(([, one]) => one);
    assertEquals(
      images.filter((one = "") => !/@sha256:[0-9a-f]{64}$/.test(one)),
      [],
    );
  });

  Deno.test(`${name} keeps no credentials where it checks out`, () => {
    const steps = text.split(/^ {6}- /m)
      .filter((step) => step.startsWith("uses: actions/checkout@"));
    assert(steps.length > 0);
    for (const step of steps) {
      assert(/^ {10}persist-credentials: false$/m.test(step), step);
    }
  });

  Deno.test(`${name} gives the token that publishes to no job that runs anything else`, () => {
    const [head = ""] = text.split(/^jobs:$/m);
    assert(!head.includes("id-token"), "given to all jobs");
    for (const body of jobsOf(text).values()) {
      if (!body.includes("id-token")) continue;
      const runs = [...body.matchAll(/\brun: (.*)/g)].map(([, run = ""]) =>
        run.replace(/deno@\S+/, "deno")
      );
      const actions = [...body.matchAll(/uses: ([^@]+)@/g)]
        .map(([, action]) => action);
      const does = JSON.stringify({ runs, actions });
      assert(PUBLISHERS.map((one) => JSON.stringify(one)).includes(does), does);
      assert(/^ {4}environment: \w+$/m.test(body), "no environment");
      assert(/^ {4}needs: \w+$/m.test(body), "not after the tests");
    }
  });
}

Deno.test("npm gets what a job without a token has packed after the tests, and nothing else", () => {
  const { text = "" } = WORKFLOWS.find(({ name }) => name === "publish.yml") ??
    {};
  const jobs = jobsOf(text);
  const pack = jobs.get("pack") ?? "";
  assert(!pack.includes("id-token"));
  assertMatch(pack, /^ {4}needs: test$/m);
  assertEquals([...pack.matchAll(/\brun: (.*)/g)].map(([, run]) => run), [
    `npx --ignore-scripts -y deno@${DENO} run -A tests/npm_consumer/pack.ts package.tgz`,
  ]);
  assertMatch(jobs.get("npm") ?? "", /^ {4}needs: pack$/m);
  // Who publishes with a token of npm publishes by hand.
  assert(!/NPM_TOKEN|NODE_AUTH_TOKEN|secrets\./.test(text));
});

Deno.test("there are jobs that publish", () => {
  assertEquals(
    WORKFLOWS.filter(({ text }) => text.includes("id-token: write"))
      .map(({ name }) => name).toSorted(),
    ["pages.yml", "publish.yml"],
  );
});

Deno.test("the template of issues asks for what decode prints of a header", () => {
  const [first = ""] = Deno.readTextFileSync(
    new URL("../ISSUE_TEMPLATE/header.yml", FOLDER),
  ).split(/^ {2}- type: input$/m);
  assertMatch(first, /npx @edgewire\/proxy-protocol decode`/);
  assertMatch(first, /id: decode[\s\S]*required: true/);
});
