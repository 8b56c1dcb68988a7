/** Servers that speak first: a connection is handed over before its header. */

import { concat, pattern, utf8 } from "../_bytes.ts";
import {
  aborted,
  behind,
  DIRECT,
  EMPTY,
  incomplete,
  io,
  overload,
  PAYLOAD,
  refused,
  served,
  timeout,
  undecodable,
  UNTRUSTED,
  unverified,
} from "./_expect.ts";
import { HEADERS, V1, V2 } from "./_headers.ts";
import {
  DEADLINE,
  type Failure,
  type Outcome,
  type Scenario,
  type Stage,
} from "./_scenario.ts";
import type { Client } from "./bun/_client.ts";

const MEBIBYTE = pattern(1 << 20);
/** No longer than the least that a header needs, so that all of it is read. */
const STRANGE = utf8("GET / HTTP/1.1\n");
const SIGHT = behind(V2.facts);
const LENGTH = V2.bytes.length;

/** An application that has greeted a client before its header. */
function greeted(outcome: Outcome): Outcome {
  return { ...outcome, greeted: DIRECT };
}

const SERVED = greeted(served(SIGHT));

function fails(error: Failure): Outcome {
  return greeted(refused(error));
}

/** Dials, and says nothing before the greeting. */
async function dialGreeted(
  stage: Stage,
  ...pieces: Uint8Array[]
): Promise<Client> {
  const client = await stage.dial();
  await stage.greeted(client);
  for (const piece of pieces) {
    await client.send(piece);
    await stage.read(client);
  }
  return client;
}

const scenarios: readonly Scenario[] = [
  ...Object.entries(HEADERS).map(([name, { bytes, facts }]): Scenario => ({
    name: `${name}`,
    act: (stage) => dialGreeted(stage, concat([bytes, PAYLOAD])),
    expected: [greeted(served(behind(facts)))],
  })),
  ...[1, 14, LENGTH].map((cut): Scenario => ({
    name: `a header of which ${cut} bytes come first`,
    act: (stage) =>
      dialGreeted(
        stage,
        V2.bytes.subarray(0, cut),
        concat([V2.bytes.subarray(cut), PAYLOAD]),
      ),
    expected: [SERVED],
  })),
  {
    name: "a header that comes with the connection",
    act: (stage) => stage.dial(concat([V2.bytes, PAYLOAD])),
    expected: [SERVED],
  },
  {
    name: "1 MiB with the header",
    async act(stage) {
      const client = await dialGreeted(stage);
      await client.send(concat([V1.bytes, MEBIBYTE]));
    },
    expected: [greeted(served(behind(V1.facts), MEBIBYTE))],
  },
  {
    name: "a header, and the end with it",
    async act(stage) {
      const client = await dialGreeted(stage);
      await client.send(V2.bytes);
      client.end();
    },
    expected: [greeted(served(SIGHT, new Uint8Array()))],
  },
  {
    name: 'a header, header: "discard"',
    options: { header: "discard" },
    act: (stage) => dialGreeted(stage, concat([V1.bytes, PAYLOAD])),
    expected: [greeted(served(behind(V1.facts, true)))],
  },
  {
    name: 'no header, header: "optional"',
    options: { header: "optional" },
    act: (stage) => dialGreeted(stage, PAYLOAD),
    expected: [greeted(served(DIRECT))],
  },
  {
    name: "a direct peer is ready at once",
    options: { trust: [], untrusted: "direct" },
    act: (stage) => dialGreeted(stage, V2.bytes),
    expected: [greeted(served(DIRECT, V2.bytes))],
  },
  {
    name: "a peer that is not trusted is not greeted",
    options: { trust: [] },
    act: (stage) => stage.dial(V2.bytes),
    expected: [refused(UNTRUSTED)],
  },
  {
    name: "what is no header",
    act: (stage) => dialGreeted(stage, STRANGE),
    expected: [fails(undecodable(STRANGE))],
  },
  {
    name: "silence until the deadline",
    options: { timeout: DEADLINE },
    act: (stage) => dialGreeted(stage),
    expected: [fails(timeout(0, DEADLINE))],
  },
  {
    name: "a part until the deadline",
    options: { timeout: DEADLINE },
    act: (stage) => dialGreeted(stage, V2.bytes.subarray(0, 14)),
    expected: [fails(timeout(14, DEADLINE))],
  },
  {
    name: "an end without a byte",
    act: async (stage) => (await dialGreeted(stage)).end(),
    expected: [fails(EMPTY)],
  },
  {
    name: "an end within the header",
    act: async (stage) =>
      (await dialGreeted(stage, V2.bytes.subarray(0, 14))).end(),
    expected: [fails(incomplete(14))],
  },
  {
    name: "a reset before a byte",
    act: async (stage) => (await dialGreeted(stage)).reset(),
    expected: [fails(EMPTY)],
  },
  {
    name: "a reset within the header",
    act: async (stage) =>
      (await dialGreeted(stage, V2.bytes.subarray(0, 14))).reset(),
    expected: [fails(io(14))],
  },
  {
    name: "the signal fires",
    watched: { hasSignal: true },
    async act(stage) {
      await dialGreeted(stage, V2.bytes.subarray(0, 14));
      await stage.order({ do: "fire the signal" });
    },
    expected: [fails(aborted(14))],
  },
  {
    name: "the listener is closed",
    async act(stage) {
      await dialGreeted(stage);
      await stage.order({ do: "close" });
    },
    expected: [fails(aborted(0))],
  },
  {
    name: "one more than may be pending",
    options: { maxPending: 1 },
    async act(stage) {
      await dialGreeted(stage);
      await dialGreeted(stage, concat([V2.bytes, PAYLOAD]));
    },
    expected: [fails(overload(1)), SERVED],
  },
  {
    name: "verify: true",
    watched: { verify: "true" },
    act: (stage) => dialGreeted(stage, concat([V2.bytes, PAYLOAD])),
    expected: [{ ...SERVED, verified: SIGHT }],
  },
  {
    name: "verify: true, later",
    watched: { verify: "later" },
    async act(stage) {
      await dialGreeted(stage, V2.bytes);
      await stage.asked(1);
      await stage.pending(1);
      await stage.order({ do: "answer verify", verdict: "true" });
    },
    expected: [{
      ...greeted(served(SIGHT, new Uint8Array())),
      verified: SIGHT,
    }],
  },
  {
    name: "verify: false",
    watched: { verify: "false" },
    act: (stage) => dialGreeted(stage, concat([V2.bytes, PAYLOAD])),
    expected: [{ ...fails(unverified(LENGTH)), verified: SIGHT }],
  },
];

/** Those of `lazy`. */
export const LAZY_SCENARIOS: readonly Scenario[] = scenarios.map((
  { name, options, ...scenario },
) => ({
  ...scenario,
  name: `lazy: ${name}`,
  options: { ...options, lazy: true },
}));
