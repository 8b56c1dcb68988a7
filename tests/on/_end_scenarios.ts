/** How connections end before their header is in, and what limits the wait for it. */

import { concat, utf8 } from "../_bytes.ts";
import {
  aborted,
  behind,
  EMPTY,
  incomplete,
  io,
  overload,
  PAYLOAD,
  refused,
  served,
  timeout,
} from "./_expect.ts";
import { V1, V2 } from "./_headers.ts";
import { DEADLINE, type Scenario } from "./_scenario.ts";

/** Between two bytes of a peer that wants to be served never, in ms. */
const DRIP = 60;

const starts = [V1, V2].flatMap(({ bytes, facts }) =>
  [1, 14, bytes.length - 1].map((length) => ({
    name: `${length} bytes of a v${facts.version} header`,
    start: bytes.subarray(0, length),
  }))
);

const within = starts.flatMap(({ name, start }): Scenario[] => [
  {
    name: `${name}, then the end`,
    act: async (stage) => (await stage.dial(start)).end(),
    expected: [refused(incomplete(start.length))],
  },
  {
    name: `${name} that were read, then the end`,
    async act(stage) {
      const client = await stage.dial(start);
      await stage.read(client);
      client.end();
    },
    expected: [refused(incomplete(start.length))],
  },
  {
    name: `${name}, then a reset`,
    async act(stage) {
      const client = await stage.dial(start);
      await stage.pending(1);
      await stage.read(client);
      client.reset();
    },
    expected: [refused(io(start.length))],
  },
  {
    name: `${name} until the deadline`,
    options: { timeout: DEADLINE },
    act: (stage) => stage.dial(start),
    expected: [refused(timeout(start.length, DEADLINE))],
  },
  {
    name: `${name} until the signal fires`,
    watched: { hasSignal: true },
    async act(stage) {
      const client = await stage.dial(start);
      await stage.pending(1);
      await stage.read(client);
      await stage.order({ do: "fire the signal" });
    },
    expected: [refused(aborted(start.length))],
  },
  {
    name: `${name} until the listener is closed`,
    isOfListener: true,
    async act(stage) {
      const client = await stage.dial(start);
      await stage.pending(1);
      await stage.read(client);
      await stage.order({ do: "close" });
    },
    expected: [refused(aborted(start.length))],
  },
]);

/** Those of ends and limits. */
export const END_SCENARIOS: readonly Scenario[] = [
  ...within,
  {
    name: "an end without a byte",
    act: async (stage) => (await stage.dial()).end(),
    expected: [refused(EMPTY)],
  },
  {
    name: "a reset before a byte",
    async act(stage) {
      const client = await stage.dial();
      await stage.pending(1);
      client.reset();
    },
    expected: [refused(EMPTY)],
  },
  {
    name: "silence until the deadline",
    options: { timeout: DEADLINE },
    act: (stage) => stage.dial(),
    expected: [refused(timeout(0, DEADLINE))],
  },
  {
    name: "a byte now and then, beyond the deadline",
    options: { timeout: DEADLINE },
    async act(stage) {
      // Each is within the deadline of the one before; all together take 6 s.
      const client = await stage.dial();
      for (const byte of utf8("PROXY UNKNOWN ".padEnd(100, "x"))) {
        if (client.stream.destroyed) break;
        await client.send(Uint8Array.of(byte)).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, DRIP));
      }
    },
    expected: [refused(timeout("some", DEADLINE))],
  },
  {
    name: "an idle connection stays when the deadline of its header is over",
    options: { timeout: DEADLINE },
    async act(stage) {
      const client = await stage.dial(V2.bytes);
      await stage.settled(1);
      await stage.dial(); // whose deadline is later
      await stage.settled(2);
      await client.send(PAYLOAD);
    },
    expected: [served(behind(V2.facts)), refused(timeout(0, DEADLINE))],
  },
  {
    name: "the signal fires for silent peers, and for those who come later",
    watched: { hasSignal: true },
    async act(stage) {
      await stage.dial();
      await stage.pending(1);
      await stage.order({ do: "fire the signal" });
      await stage.settled(1);
      await stage.dialAfterSignal(V2.bytes);
    },
    expected: [refused(aborted(0)), refused(aborted(0))],
  },
  {
    name: "the signal fires not for a connection that is served",
    watched: { hasSignal: true },
    async act(stage) {
      const client = await stage.dial(V2.bytes);
      await stage.settled(1);
      await stage.order({ do: "fire the signal" });
      await client.send(PAYLOAD);
    },
    expected: [served(behind(V2.facts))],
  },
  {
    name: "a connection that is served stays when the listener is closed",
    isOfListener: true,
    async act(stage) {
      const client = await stage.dial(V2.bytes);
      await stage.settled(1);
      await stage.order({ do: "close" });
      await client.send(PAYLOAD);
    },
    expected: [served(behind(V2.facts))],
  },
  {
    name: "one more than may be pending",
    options: { maxPending: 2 },
    isOfListener: true,
    async act(stage) {
      const clients = [await stage.dial(), await stage.dial()];
      await stage.pending(2);
      clients.push(await stage.dial());
      await stage.settled(1);
      for (const client of clients) {
        await client.send(concat([V2.bytes, PAYLOAD])).catch(() => {});
      }
    },
    // Whoever has waited longest is rejected.
    expected: [
      refused(overload(2)),
      served(behind(V2.facts)),
      served(behind(V2.facts)),
    ],
  },
  {
    name: "no more than may be pending, one after the other",
    options: { maxPending: 1 },
    isOfListener: true,
    async act(stage) {
      for (const [i, header] of [V1, V2].entries()) {
        await stage.dial(concat([header.bytes, PAYLOAD]));
        await stage.settled(i + 1);
      }
    },
    expected: [served(behind(V1.facts)), served(behind(V2.facts))],
  },
  {
    name: "the end of a client does not end the answer",
    async act(stage) {
      const client = await stage.dial(V1.bytes);
      await stage.settled(1);
      await client.send(PAYLOAD);
      client.end();
      await stage.ended(client);
    },
    expected: [served(behind(V1.facts))],
  },
];
