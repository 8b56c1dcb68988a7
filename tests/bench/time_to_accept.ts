/** How long a good peer waits beside bad ones, on Deno. */

import { encode, proxied, type ProxyHeader } from "../../mod.ts";
import { median } from "./spread.ts";

const HEADER: ProxyHeader = {
  source: { transport: "tcp", hostname: "192.0.2.1", port: 56324 },
  destination: { transport: "tcp", hostname: "198.51.100.1", port: 443 },
};

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
  const header = encode(HEADER);
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

/** Measures it, and says it in a line. */
export async function reportTimeToAccept(): Promise<string> {
  const quiet = await timeToAccept(true);
  const busy = await timeToAccept(false);
  return `time to accept on Deno: ${quiet.toFixed(0)} us quiet, ` +
    `${busy.toFixed(0)} us beside a silent peer, one of a byte per second ` +
    `and ${BAD_PEERS} bad headers`;
}
