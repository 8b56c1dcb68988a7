/** What the peers of a chaos run do, and what may become of each. */

import { encode, type ProxyProtocolErrorCode } from "../../../mod.ts";
import { concat, utf8 } from "../../_bytes.ts";
import { CLIENT } from "../../conn/_peers.ts";
import type { Random } from "../fuzz/_random.ts";
import { flood, type Peer, question, type Target } from "./_chaos_peer.ts";

/**
 * After this many ms without a whole header, the servers close. A busy machine
 * needs time for a header that comes byte by byte, beside a hundred others.
 */
export const DEADLINE = 6000;

/** Between two bytes of a peer that never ends its header, in ms. */
const DRIP = 250;

/** How long a peer stays that reads nothing, at most, in ms. */
const LONGEST_STAY = 300;

/** What a server must make of a peer: one of these, once. */
export type Fate = readonly (ProxyProtocolErrorCode | "accepted")[];

/** A thing that a peer does. */
export interface Act {
  name: string;
  fate: Fate;
  /** How many of them there are for each of the others. */
  share?: number;
  /** Whether it can be done there; anywhere if it is absent. */
  suits?: (target: Target) => boolean;
  play(peer: Peer, random: Random): Promise<void>;
}

const LINE = utf8("PROXY TCP4 192.0.2.1 198.51.100.1 1111 2222\r\n");
const PLAIN = encode(CLIENT);

/** Headers of {@link CLIENT}. */
function headerOf(random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return LINE;
    case 1:
      return PLAIN;
    case 2:
      return encode({
        ...CLIENT,
        tlvs: { ALPN: "h2", AUTHORITY: "sni.example", UNIQUE_ID: utf8("id") },
      }, { checksum: true });
    default: // as long as the defaults accept
      return encode({ ...CLIENT, tlvs: { xE0: random.bytes(3900) } });
  }
}

/** What a server says of {@link CLIENT}. */
const SEEN = JSON.stringify({ hostname: "192.0.2.1", port: 1111 });

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Gets as far as the header. */
async function open(peer: Peer): Promise<boolean> {
  const isInTls = peer.target.tls === "around the header";
  if (isInTls && !await peer.beginTls()) return false;
  if (peer.target.tls !== "after the header") peer.listen();
  return true;
}

/** Sends a header in pieces, then what asks the server, and makes sure of its answer. */
async function ask(
  peer: Peer,
  pieces: Iterable<Uint8Array>,
  seen: string,
  gap: number | undefined = 0,
): Promise<void> {
  if (!await open(peer)) throw new Error("TLS failed");
  const parts = [...pieces];
  const last = parts.pop() ?? new Uint8Array();
  for (const piece of parts) {
    peer.send(piece);
    await pause(gap);
  }
  const asking = question(peer.target);
  if (peer.target.tls === "after the header") {
    if (!await peer.beginTls(last)) throw new Error("TLS failed");
    peer.listen();
    peer.send(asking);
  } else {
    peer.send(concat([last, asking]));
  }
  await peer.until(seen);
  if (isEcho(peer.target)) await peer.until(new TextDecoder().decode(asking));
}

function isEcho({ kind }: Target): boolean {
  return kind === "bytes" || kind === "tls";
}

/** What a server says of the peer itself. */
function realOf({ port, target }: Peer): string {
  return typeof target.to === "string"
    ? JSON.stringify({ hostname: null, port: null })
    : JSON.stringify({ hostname: "127.0.0.1", port });
}

/** A good client; makes sure that it is served with its address. */
export async function askHonestly(peer: Peer): Promise<void> {
  await ask(peer, [PLAIN], SEEN);
  peer.close();
}

/** Bytes that are neither a header nor the beginning of one. */
function garbage(random: Random): Uint8Array {
  const bytes = random.bytes(1 + random.below(random.pick([20, 65536])));
  bytes[0] = 1 + random.below(9);
  return bytes;
}

/** The record in which a TLS client begins. */
const CLIENT_HELLO = Uint8Array.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 7);

const isInTls = ({ tls }: Target) => tls === "around the header";

/** Sends what must be refused, and waits for the end. */
function refused(
  name: string,
  fate: Fate,
  bytes: (random: Random) => Uint8Array,
): Act {
  return {
    name,
    fate,
    async play(peer, random) {
      if (!await open(peer)) throw new Error("TLS failed");
      peer.listen();
      peer.send(bytes(random));
      await peer.closed();
    },
  };
}

/** Sends a whole header, and more that nobody can have asked for. */
async function sendAfterHeader(
  peer: Peer,
  random: Random,
  bytes: Uint8Array,
): Promise<void> {
  if (!await open(peer)) throw new Error("TLS failed");
  const header = headerOf(random);
  const pieces = random.oneIn(2) ? [concat([header, bytes])] : [header, bytes];
  for (const piece of pieces) {
    peer.send(piece);
    await pause(0);
  }
  peer.listen();
}

/** All of them. */
export const ACTS: readonly Act[] = [
  {
    name: "a header glued to what follows",
    fate: ["accepted"],
    share: 4,
    play: (peer, random) => ask(peer, [headerOf(random)], SEEN),
  },
  {
    name: "a header in two pieces",
    fate: ["accepted"],
    share: 2,
    play(peer, random) {
      const header = headerOf(random);
      const at = random.below(header.length);
      return ask(peer, [header.subarray(0, at), header.subarray(at)], SEEN);
    },
  },
  {
    name: "a header byte by byte",
    fate: ["accepted"],
    play: (peer) => ask(peer, singly(LINE), SEEN),
  },
  {
    name: "a header that drips",
    fate: ["accepted"],
    play: (peer) => ask(peer, singly(PLAIN), SEEN, 2),
  },
  {
    name: "LOCAL",
    fate: ["accepted"],
    play: (peer) => ask(peer, [encode({ command: "LOCAL" })], realOf(peer)),
  },
  {
    name: "UNKNOWN",
    fate: ["accepted"],
    play: (peer) => ask(peer, [utf8("PROXY UNKNOWN\r\n")], realOf(peer)),
  },
  refused("garbage", ["signature"], garbage),
  refused(
    "a header of 60 KiB",
    ["length"],
    () => encode({ ...CLIENT, tlvs: { xE0: new Uint8Array(60_000) } }),
  ),
  refused(
    "a port of 70000",
    ["port"],
    () => utf8("PROXY TCP4 192.0.2.1 198.51.100.1 1 70000\r\n"),
  ),
  refused("a wrong checksum", ["checksum"], () => {
    const header = encode(CLIENT, { checksum: true });
    header[header.length - 1]! ^= 1;
    return header;
  }),
  {
    ...refused(
      "a ClientHello without a header",
      ["signature"],
      () => CLIENT_HELLO,
    ),
    suits: (target) => !isInTls(target),
  },
  {
    name: "a header that is cut, by a half-close",
    fate: ["incomplete", "empty"],
    share: 2,
    async play(peer, random) {
      if (!await open(peer)) throw new Error("TLS failed");
      const header = headerOf(random);
      peer.send(header.subarray(0, random.below(header.length)));
      peer.listen();
      peer.end();
      await peer.closed();
    },
  },
  {
    name: "a header that is cut, by a close",
    fate: ["incomplete", "empty", "io"],
    async play(peer, random) {
      if (!await open(peer)) throw new Error("TLS failed");
      const header = headerOf(random);
      peer.send(header.subarray(0, random.below(header.length)));
      await pause(random.below(20));
    },
  },
  {
    name: "a reset at once",
    fate: ["empty", "io"],
    share: 2,
    play: (peer) => Promise.resolve(peer.reset()),
  },
  {
    name: "a reset at any moment",
    fate: ["accepted", "incomplete", "empty", "io"],
    share: 4,
    async play(peer, random) {
      const isTlsPlayed = random.oneIn(2);
      if (isTlsPlayed && !await open(peer)) throw new Error("TLS failed");
      const whole = concat([headerOf(random), question(peer.target)]);
      const isClear = isTlsPlayed || !isInTls(peer.target);
      if (isClear) peer.send(whole.subarray(0, random.below(whole.length)));
      await pause(random.below(20));
      peer.reset();
    },
  },
  {
    name: "a header, then a half-close",
    fate: ["accepted"],
    async play(peer, random) {
      const asking = question(peer.target);
      await sendAfterHeader(peer, random, asking);
      peer.end();
      await pause(random.below(100)); // not every application ends then
    },
  },
  {
    name: "a header, then a close",
    fate: ["accepted", "io"],
    async play(peer, random) {
      await sendAfterHeader(peer, random, question(peer.target));
    },
  },
  {
    name: "a header, then what the application cannot read",
    fate: ["accepted"],
    share: 3,
    async play(peer, random) {
      const bytes = random.bytes(1 + random.below(random.pick([20, 200_000])));
      await sendAfterHeader(peer, random, bytes);
      peer.send(bytes);
      await pause(random.below(LONGEST_STAY));
    },
  },
  {
    name: "a header, then nothing is read",
    fate: ["accepted"],
    async play(peer, random) {
      if (!await open(peer)) throw new Error("TLS failed");
      const header = headerOf(random);
      if (peer.target.tls === "after the header") {
        if (!await peer.beginTls(header)) throw new Error("TLS failed");
      } else {
        peer.send(header);
      }
      peer.deafen();
      peer.send(concat([question(peer.target), flood(peer.target)]));
      await pause(random.below(LONGEST_STAY));
      if (random.oneIn(2)) peer.reset();
    },
  },
  {
    name: "silence",
    fate: ["timeout"],
    async play(peer) {
      if (!await open(peer)) throw new Error("TLS failed");
      peer.listen();
      await peer.closed();
    },
  },
  {
    // Deno itself does not close such a connection, though it is told to.
    name: "silence where TLS is to begin",
    fate: ["timeout", "empty"],
    suits: isInTls,
    play: () => pause(DEADLINE + LONGEST_STAY),
  },
  {
    name: "a header that drips beyond the deadline",
    fate: ["timeout"],
    async play(peer) {
      if (!await open(peer)) throw new Error("TLS failed");
      peer.listen();
      let isClosed = false;
      const closing = peer.closed().then(() => isClosed = true);
      const long = encode({ ...CLIENT, tlvs: { NETNS: "x".repeat(1000) } });
      for (const byte of singly(long)) {
        if (isClosed) break;
        peer.send(byte);
        await pause(DRIP);
      }
      await closing;
    },
  },
  {
    name: "no TLS where it is around the header",
    fate: ["io", "empty", "signature", "incomplete"],
    share: 3,
    suits: isInTls,
    async play(peer, random) {
      peer.listen();
      // Whole, or the end of a record would be waited for.
      peer.raw.write(concat([garbage(random), new Uint8Array(16)]));
      await peer.closed();
    },
  },
  {
    name: "a TLS record that is broken, before the header",
    fate: ["io", "empty", "signature", "incomplete"],
    suits: isInTls,
    async play(peer, random) {
      if (!await open(peer)) throw new Error("TLS failed");
      const length = 32 + random.below(100);
      peer.raw.write(
        concat([Uint8Array.of(23, 3, 3, 0, length), random.bytes(length)]),
      );
      await peer.closed();
    },
  },
];

function* singly(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}
