/** Whom a listener believes, and what becomes of the others. */

import { concat, utf8 } from "../_bytes.ts";
import type { Asked } from "./_asked.ts";
import { BLOCK4, tlv, v2 } from "../codec/_hex.ts";
import {
  behind,
  DIRECT,
  incomplete,
  PAYLOAD,
  refused,
  served,
  timeout,
  undecodable,
  UNTRUSTED,
  untrusted,
} from "./_expect.ts";
import { HEADERS, V1, V2 } from "./_headers.ts";
import { DEADLINE, type Scenario } from "./_scenario.ts";

/** None of the peers. */
const STRANGERS = ["192.0.2.0/24"];

const REQUEST = utf8("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n");

const WRONG_CHECKSUM = v2("2111", BLOCK4 + tlv("03", "00000000"));

const trusted = Object.entries(HEADERS).flatMap(
  ([name, { bytes, facts }]): Scenario[] => [
    {
      name: `${name} of a trusted peer`,
      act: (stage) => stage.dial(concat([bytes, PAYLOAD])),
      expected: [served(behind(facts))],
    },
    {
      name: `${name} of a trusted peer, byte by byte`,
      async act(stage) {
        const client = await stage.dial();
        for (const byte of bytes) {
          await client.send(Uint8Array.of(byte));
          await stage.order({ do: "tell" }); // so that each is a write
        }
        await client.send(PAYLOAD);
      },
      expected: [served(behind(facts))],
    },
    {
      name: `${name} without a payload`,
      act: (stage) => stage.dial(bytes),
      expected: [served(behind(facts), new Uint8Array())],
    },
    {
      name: `${name} that comes with the end of its peer`,
      act: async (stage) => (await stage.dial(bytes)).end(),
      expected: [served(behind(facts), new Uint8Array())],
    },
    {
      name: `${name}, header: "optional"`,
      options: { header: "optional" },
      act: (stage) => stage.dial(concat([bytes, PAYLOAD])),
      expected: [served(behind(facts))],
    },
    {
      name: `${name}, header: "discard"`,
      options: { header: "discard" },
      act: (stage) => stage.dial(concat([bytes, PAYLOAD])),
      expected: [served(behind(facts, true))],
    },
  ],
);

/** Functions that fail, and what the error says of it. */
const FAILURES: readonly [Asked, string][] = [
  ["trust throws", "the function trust has failed: of the user"],
  [
    "trust promises",
    "the function trust has failed: expected true or false, received a promise",
  ],
  ["untrusted throws", "the function untrusted has failed: of the user"],
  [
    "untrusted promises",
    'the function untrusted has failed: expected "reject" or "direct", received a promise',
  ],
];

const strangers = [V1, V2].flatMap(({ bytes, facts }): Scenario[] => {
  const name = `a v${facts.version} header`;
  return [
    {
      name: `${name} of an untrusted peer, untrusted: "reject"`,
      options: { trust: STRANGERS, untrusted: "reject" },
      act: (stage) => stage.dial(bytes),
      expected: [refused(UNTRUSTED)],
    },
    {
      name: `${name} of an untrusted peer, untrusted: "direct"`,
      options: { trust: STRANGERS, untrusted: "direct" },
      act: (stage) => stage.dial(bytes),
      expected: [served(DIRECT, bytes)],
    },
    ...FAILURES.map(([asked, reason]): Scenario => ({
      name: `${name}, where ${asked}`,
      options: { untrusted: "direct" },
      watched: { asked },
      act: (stage) => stage.dial(bytes),
      expected: [refused(untrusted(reason))],
    })),
    {
      name: `${name} of a peer that a function serves directly`,
      watched: { asked: "untrusted says direct" },
      act: (stage) => stage.dial(bytes),
      expected: [served(DIRECT, bytes)],
    },
    {
      name: `${name} of a peer that a function does not serve directly`,
      watched: { asked: "untrusted says reject" },
      act: (stage) => stage.dial(bytes),
      expected: [refused(UNTRUSTED)],
    },
    {
      name: `${name} of loopback, which is served directly`,
      options: { trust: STRANGERS, untrusted: ["loopback"] },
      act: (stage) => stage.dial(bytes),
      expected: [served(DIRECT, bytes)],
    },
    {
      name: `${name} of loopback, where others are served directly`,
      options: { trust: STRANGERS, untrusted: ["private", "unix"] },
      act: (stage) => stage.dial(bytes),
      expected: [refused(UNTRUSTED)],
    },
    {
      name: `${name} of a peer that is trusted and served directly`,
      options: { trust: ["loopback"], untrusted: ["loopback"] },
      act: (stage) => stage.dial(concat([bytes, PAYLOAD])),
      expected: [served(behind(facts))],
    },
    {
      name: `${name} of loopback, where private networks are trusted`,
      options: { trust: ["private"] },
      act: (stage) => stage.dial(bytes),
      expected: [refused(UNTRUSTED)],
    },
    {
      name: `${name} where everybody is trusted`,
      options: { trust: "any" },
      act: (stage) => stage.dial(concat([bytes, PAYLOAD])),
      expected: [served(behind(facts))],
    },
  ];
});

/** Those of trust, and of headers that are optional or ignored. */
export const POLICY_SCENARIOS: readonly Scenario[] = [
  ...trusted,
  ...strangers,
  {
    name: "an onReject that throws ends nothing",
    watched: { onRejectThrows: true },
    isOfListener: true,
    async act(stage) {
      await stage.dial(WRONG_CHECKSUM);
      await stage.settled(1);
      await stage.dial(concat([V1.bytes, PAYLOAD]));
    },
    expected: [refused(undecodable(WRONG_CHECKSUM)), served(behind(V1.facts))],
  },
  {
    name: "what is no header",
    // As long as the shortest header: a reader that is exact takes no more.
    act: (stage) => stage.dial(REQUEST.subarray(0, 15)),
    expected: [refused(undecodable(REQUEST.subarray(0, 15)))],
  },
  {
    name: "what came after a header that is refused is not in the error",
    act: (stage) => stage.dial(concat([WRONG_CHECKSUM, PAYLOAD])),
    expected: [refused(undecodable(WRONG_CHECKSUM))],
  },
  {
    name: "an untrusted peer that says nothing is refused at once",
    options: { trust: STRANGERS },
    act: (stage) => stage.dial(),
    expected: [refused(UNTRUSTED)],
  },
  {
    name: "a direct peer without a byte is served",
    options: { trust: STRANGERS, untrusted: "direct", timeout: DEADLINE },
    async act(stage) {
      const client = await stage.dial();
      // A server of node:net on Deno says nothing, with or without us, to a
      // client that has ended by now.
      await client.receive(1);
    },
    expected: [served(DIRECT, new Uint8Array())],
  },
  {
    name: 'no header, header: "optional"',
    options: { header: "optional" },
    act: (stage) => stage.dial(REQUEST),
    expected: [served(DIRECT, REQUEST)],
  },
  {
    name: 'no header, byte by byte, header: "optional"',
    options: { header: "optional" },
    async act(stage) {
      const client = await stage.dial();
      for (const byte of REQUEST) await client.send(Uint8Array.of(byte));
    },
    expected: [served(DIRECT, REQUEST)],
  },
  ...["P", "PROXY", "\r\n\r\n\0\r\nQUIT"].map((start): Scenario => ({
    name: `${JSON.stringify(start)} and the end, header: "optional"`,
    options: { header: "optional" },
    async act(stage) {
      const client = await stage.dial(start);
      await stage.read(client);
      client.end();
    },
    expected: [served(DIRECT, utf8(start))],
  })),
  ...["PROXY ", "\r\n\r\n\0\r\nQUIT\n"].map((start): Scenario => ({
    name: `${JSON.stringify(start)} and the end, header: "optional"`,
    options: { header: "optional" },
    async act(stage) {
      const client = await stage.dial(start);
      await stage.read(client);
      client.end();
    },
    expected: [refused(incomplete(start.length))],
  })),
  {
    name: 'silence until the deadline, header: "optional"',
    options: { header: "optional", timeout: DEADLINE },
    act: (stage) => stage.dial(),
    expected: [refused(timeout(0, DEADLINE))],
  },
];
