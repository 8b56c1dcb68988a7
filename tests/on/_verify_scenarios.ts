/** What `verify` may answer, and what may happen until it does. */

import { concat, pattern } from "../_bytes.ts";
import {
  aborted,
  behind,
  DIRECT,
  io,
  OWN,
  PAYLOAD,
  refused,
  served,
  timeout,
  unverified,
} from "./_expect.ts";
import { HEADERS, V1, V2 } from "./_headers.ts";
import {
  DEADLINE,
  type Failure,
  type Outcome,
  type Scenario,
  type Sight,
  type Stage,
} from "./_scenario.ts";
import type { Verdict } from "./_verdict.ts";

const MEBIBYTE = pattern(1 << 20);

/** A client that `verify` is asked about. */
function verified(outcome: Outcome, sight: Sight): Outcome {
  return { ...outcome, verified: sight };
}

const SIGHT = behind(V2.facts);
const LENGTH = V2.bytes.length;
const SERVED = verified(served(SIGHT), SIGHT);

function fails(error: Failure): Outcome {
  return verified(refused(error), SIGHT);
}

const verdicts: readonly [Verdict, Outcome][] = [
  ["true", SERVED],
  ["false", fails(unverified(LENGTH))],
  ["truthy", fails(unverified(LENGTH))],
  ["throws", fails(unverified(LENGTH))],
  ["rejects", fails(unverified(LENGTH))],
  ["throws a ProxyProtocolError", fails(OWN)],
];

const answers = verdicts.flatMap(([verdict, outcome]): Scenario[] => [
  {
    name: `verify: ${verdict}`,
    watched: { verify: verdict },
    act: (stage) => stage.dial(concat([V2.bytes, PAYLOAD])),
    expected: [outcome],
  },
  {
    name: `verify: ${verdict}, later`,
    watched: { verify: "later" },
    async act(stage) {
      await stage.dial(concat([V2.bytes, PAYLOAD]));
      await stage.asked(1);
      await stage.pending(1);
      await stage.order({ do: "answer verify", verdict });
    },
    expected: [outcome],
  },
]);

/** Dials, and waits until `verify` is asked. */
async function dialAsked(stage: Stage, payload?: Uint8Array) {
  const client = await stage.dial(
    concat([V2.bytes, payload ?? new Uint8Array()]),
  );
  await stage.asked(1);
  return client;
}

/** Those of `verify`. */
export const VERIFY_SCENARIOS: readonly Scenario[] = [
  ...answers,
  ...Object.entries(HEADERS).map(([name, { bytes, facts }]): Scenario => ({
    name: `verify is asked about ${name}`,
    watched: { verify: "true" },
    act: (stage) => stage.dial(concat([bytes, PAYLOAD])),
    expected: [verified(served(behind(facts)), behind(facts))],
  })),
  {
    name: 'verify sees the real ends, header: "discard"',
    options: { header: "discard" },
    watched: { verify: "true" },
    act: (stage) => stage.dial(concat([V1.bytes, PAYLOAD])),
    expected: [
      verified(served(behind(V1.facts, true)), behind(V1.facts, true)),
    ],
  },
  {
    name: 'verify is not asked without a header, header: "optional"',
    options: { header: "optional" },
    watched: { verify: "false" },
    act: (stage) => stage.dial(PAYLOAD),
    expected: [served(DIRECT)],
  },
  {
    name: "verify is not asked about a direct peer",
    options: { trust: [], untrusted: "direct" },
    watched: { verify: "false" },
    act: (stage) => stage.dial(V2.bytes),
    expected: [served(DIRECT, V2.bytes)],
  },
  {
    name: "the deadline of the header does not end verify",
    options: { timeout: DEADLINE },
    watched: { verify: "later" },
    async act(stage) {
      await dialAsked(stage, PAYLOAD);
      await stage.dial(); // whose deadline is later
      await stage.settled(1);
      await stage.order({ do: "answer verify", verdict: "true" });
    },
    expected: [SERVED, refused(timeout(0, DEADLINE))],
  },
  {
    name: "verify has not answered when the signal fires",
    watched: { verify: "later", hasSignal: true },
    async act(stage) {
      await dialAsked(stage);
      await stage.order({ do: "fire the signal" });
      await stage.settled(1);
      await stage.order({ do: "answer verify", verdict: "true" });
    },
    expected: [fails(aborted(LENGTH))],
  },
  {
    name: "verify has not answered when the listener is closed",
    watched: { verify: "later" },
    isOfListener: true,
    async act(stage) {
      await dialAsked(stage);
      await stage.order({ do: "close" });
      await stage.settled(1);
      await stage.order({ do: "answer verify", verdict: "true" });
    },
    expected: [fails(aborted(LENGTH))],
  },
  ...([["true", io(LENGTH)], ["false", unverified(LENGTH)]] as const).flatMap(
    ([verdict, error]): Scenario[] => [
      {
        name: `verify: ${verdict}, after a reset`,
        watched: { verify: "later" },
        async act(stage) {
          const client = await dialAsked(stage);
          client.reset();
          await stage.gone(client);
          await stage.order({ do: "answer verify", verdict });
        },
        expected: [fails(error)],
      },
      {
        name: `verify: ${verdict}, after a payload and a reset`,
        watched: { verify: "later" },
        async act(stage) {
          const client = await dialAsked(stage, PAYLOAD);
          client.reset();
          await stage.gone(client);
          await stage.order({ do: "answer verify", verdict });
        },
        expected: [fails(error)],
      },
      {
        name: `verify: ${verdict}, after an end and a reset`,
        watched: { verify: "later" },
        async act(stage) {
          const client = await dialAsked(stage, PAYLOAD);
          client.end();
          await stage.ended(client);
          client.reset();
          await stage.gone(client);
          await stage.order({ do: "answer verify", verdict });
        },
        expected: [fails(error)],
      },
    ],
  ),
  {
    name: "verify: true, after the end of the client",
    watched: { verify: "later" },
    async act(stage) {
      const client = await dialAsked(stage, PAYLOAD);
      client.end();
      await stage.ended(client);
      await stage.order({ do: "answer verify", verdict: "true" });
    },
    expected: [SERVED],
  },
  {
    name: "verify: true, after the end of a client without a payload",
    watched: { verify: "later" },
    async act(stage) {
      const client = await dialAsked(stage);
      client.end();
      await stage.ended(client);
      await stage.order({ do: "answer verify", verdict: "true" });
    },
    expected: [verified(served(SIGHT, new Uint8Array()), SIGHT)],
  },
  ...[PAYLOAD, new Uint8Array()].map((payload): Scenario => ({
    name: `verify: true, after ${payload.length} bytes that came with the end`,
    watched: { verify: "later" },
    async act(stage) {
      const client = await stage.dial(concat([V2.bytes, payload]));
      client.end(); // mostly before the header is read
      await stage.asked(1);
      await stage.ended(client);
      await stage.order({ do: "answer verify", verdict: "true" });
    },
    expected: [verified(served(SIGHT, payload), SIGHT)],
  })),
  {
    name: "a payload that comes while verify is asked",
    watched: { verify: "later" },
    async act(stage) {
      const client = await dialAsked(stage);
      await client.send(PAYLOAD.subarray(0, 1));
      await stage.order({ do: "tell" });
      await client.send(PAYLOAD.subarray(1));
      await stage.order({ do: "tell" });
      await stage.order({ do: "answer verify", verdict: "true" });
    },
    expected: [SERVED],
  },
  {
    name: "1 MiB that comes while verify is asked",
    watched: { verify: "later" },
    async act(stage) {
      const client = await dialAsked(stage);
      const sending = client.send(MEBIBYTE);
      await stage.order({ do: "tell" });
      await stage.order({ do: "answer verify", verdict: "true" });
      await sending;
    },
    expected: [verified(served(SIGHT, MEBIBYTE), SIGHT)],
  },
];
