/**
 * Measures the codec against a floor, the least code that gives the same text
 * and checks nothing but signature and length: `deno task bench`. Ratios of
 * medians within one run, over 64 different inputs.
 *
 * @module
 */

import { decode, encode, proxied } from "./mod.ts";

const isQuick = Deno.args.includes("--quick");
const ROUNDS = isQuick ? 5 : 31;
const PASSES = isQuick ? 200 : 1500;
/** Rounds before any is measured, in which the runtime compiles. */
const WARM_UPS = 3;

/** Two ways to the same text, measured in turn. */
interface Work {
  name: string;
  inputs: Uint8Array[];
  ours: (bytes: Uint8Array) => string | undefined;
  floor: (bytes: Uint8Array) => string | undefined;
}

const OCTETS = Array.from({ length: 256 }, (_, octet) => `${octet}`);

function octet(bytes: Uint8Array, at: number): string {
  return OCTETS[bytes[at] ?? 0] ?? "";
}

/** The floor of v2 TCP4: plain indexing, two strings, two ports, one object. */
function floorV2Tcp4(b: Uint8Array) {
  const isHeader = b[0] === 13 && b[1] === 10 && b[2] === 13 && b[3] === 10 &&
    b[4] === 0 && b[5] === 13 && b[6] === 10 && b[7] === 81 && b[8] === 85 &&
    b[9] === 73 && b[10] === 84 && b[11] === 10 && b.length >= 28;
  if (!isHeader) return undefined;
  return {
    source: octet(b, 16) + "." + octet(b, 17) + "." + octet(b, 18) + "." +
      octet(b, 19),
    destination: octet(b, 20) + "." + octet(b, 21) + "." + octet(b, 22) +
      "." + octet(b, 23),
    sourcePort: (b[24] ?? 0) << 8 | (b[25] ?? 0),
    destinationPort: (b[26] ?? 0) << 8 | (b[27] ?? 0),
  };
}

const headers = Array.from({ length: 64 }, (_, i) => ({
  source: {
    transport: "tcp",
    hostname: `192.0.${i}.${255 - i}`,
    port: 1024 + i,
  },
  destination: { transport: "tcp", hostname: `198.51.100.${i}`, port: 443 },
} as const));

const WORKS: Work[] = [
  {
    name: "decode v2 TCP4",
    inputs: headers.map((header) => encode(header)),
    ours: (bytes) => {
      const info = decode(bytes);
      const { source, destination } = info ?? {};
      return source && "hostname" in source && destination &&
          "hostname" in destination
        ? source.hostname + destination.hostname
        : undefined;
    },
    floor: (bytes) => {
      const info = floorV2Tcp4(bytes);
      return info && info.source + info.destination;
    },
  },
];

/** Nanoseconds per call of one round. */
function round(
  run: (bytes: Uint8Array) => string | undefined,
  inputs: Uint8Array[],
): number {
  let read = 0;
  const start = performance.now();
  for (let pass = 0; pass < PASSES; pass++) {
    for (const input of inputs) {
      const text = run(input) ?? "";
      read += text.charCodeAt(text.length - 1);
    }
  }
  const elapsed = performance.now() - start;
  if (Number.isNaN(read)) throw new Error("A contender gave no text");
  return elapsed * 1e6 / (PASSES * inputs.length);
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

console.log("work                 ours ns   floor ns   ratio");
for (const { name, inputs, ours, floor } of WORKS) {
  const times: { ours: number[]; floor: number[] } = { ours: [], floor: [] };
  for (let i = 0; i < WARM_UPS; i++) round(ours, inputs) + round(floor, inputs);
  for (let i = 0; i < ROUNDS; i++) {
    times.ours.push(round(ours, inputs));
    times.floor.push(round(floor, inputs));
  }
  const [a, b] = [median(times.ours), median(times.floor)];
  console.log(
    name.padEnd(20),
    a.toFixed(0).padStart(7),
    b.toFixed(0).padStart(10),
    (a / b).toFixed(2).padStart(7),
  );
}

/** Bad headers in all, of which some are in flight with each good one. */
const BAD_PEERS = 200;
const GOOD_PEERS = 50;

/** Median time in µs from a good peer's dial until it is accepted. */
async function timeToAccept(isQuiet: boolean): Promise<number> {
  const listener = proxied(Deno.listen({ hostname: "127.0.0.1", port: 0 }), {
    trust: ["127.0.0.1"],
    timeout: Infinity,
  });
  const dial = async (bytes: Uint8Array) => {
    const peer = await Deno.connect({
      hostname: "127.0.0.1",
      port: listener.addr.port,
    });
    await peer.write(bytes);
    return peer;
  };
  const header = encode(headers[0] ?? {});
  const bad = new TextEncoder().encode("GET / HTTP/1.1\r\n");
  const others: Promise<Deno.TcpConn>[] = [];
  let ticking: ReturnType<typeof setInterval> | undefined;
  if (!isQuiet) {
    others.push(dial(new Uint8Array())); // silent
    const slow = await dial(header.subarray(0, 1));
    others.push(Promise.resolve(slow));
    let at = 1;
    const next = () => header.subarray(at, ++at);
    ticking = setInterval(() => slow.write(next()).catch(() => {}), 1000);
  }
  const times: number[] = [];
  for (let i = 0; i < GOOD_PEERS; i++) {
    const accepted = listener.accept();
    const count = isQuiet ? 0 : BAD_PEERS / GOOD_PEERS;
    others.push(...Array.from({ length: count }, () => dial(bad)));
    const start = performance.now();
    const [peer, conn] = await Promise.all([dial(header), accepted]);
    times.push((performance.now() - start) * 1000);
    peer.close();
    conn.close();
    for (const other of await Promise.all(others.splice(2))) other.close();
  }
  clearInterval(ticking);
  listener.close();
  for (const other of await Promise.all(others)) other.close();
  return median(times);
}

const quiet = await timeToAccept(true);
const busy = await timeToAccept(false);
console.log(
  `\ntime to accept: ${quiet.toFixed(0)} us quiet, ${busy.toFixed(0)} us ` +
    `beside a silent peer, one of a byte per second and ${BAD_PEERS} bad headers`,
);
