/**
 * Uses the applications by their real clients, directly and by way of a balancer
 * that sends a header. Run on Node by `applications_test.ts`.
 */

import { encode } from "@edgewire/proxy-protocol";
import process from "node:process";
import { text } from "node:stream/consumers";
import { connect, createServer } from "node:net";
import { loadCases } from "./_cases.js";
import { listen } from "./_kit.js";

/** How long an application may take, in ms. */
const LONGEST = 60_000;
const LATE = "The application took too long";

const HEADER = encode({
  source: { transport: "tcp", hostname: "192.0.2.7", port: 51234 },
  destination: { transport: "tcp", hostname: "198.51.100.9", port: 8443 },
  tlvs: { AUTHORITY: "example.com" },
});

/**
 * A balancer before a port. The header comes with the first bytes of the client,
 * as an AWS Network Load Balancer may send it, or at once.
 */
function balancer(port, isGreeting) {
  return listen(createServer((client) => {
    const target = connect(port, "127.0.0.1");
    if (isGreeting) target.write(HEADER);
    else {
      target.cork();
      target.write(HEADER);
      client.once("readable", () => target.uncork());
    }
    client.pipe(target).pipe(client);
    client.on("error", () => target.destroy());
    client.on("close", () => target.end());
    target.on("error", () => client.destroy());
    target.on("close", () => client.destroy());
  }));
}

/** What has become of a case: nothing, or an error. */
async function outcomeOf({ ask, attempts = 1, ...one }, port, mode) {
  const isGreeting = one.isGreeting ?? false;
  const client = mode === "proxied"
    ? { address: "192.0.2.7", balance: (port) => balancer(port, isGreeting) }
    : { address: "127.0.0.1", balance: (port) => port };
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(LATE)), LONGEST);
  });
  try {
    await Promise.race([ask(await client.balance(port), client), late]);
    return null;
  } catch (error) {
    if (attempts === 1 || error.message === LATE) return `${error?.stack}`;
  } finally {
    clearTimeout(timer);
  }
  return await outcomeOf({ ...one, ask, attempts: attempts - 1 }, port, mode);
}

process.on("uncaughtException", (error) => console.error(error));

const { served } = JSON.parse(await text(process.stdin));
const cases = await loadCases();
const outcomes = {};
await Promise.all(
  Object.entries(served).flatMap(([name, modes]) =>
    Object.entries(modes).map(async ([mode, { port }]) => {
      const outcome = await outcomeOf(cases[name], port, mode);
      (outcomes[name] ??= {})[mode] = outcome;
    })
  ),
);
console.log(JSON.stringify(outcomes));
process.exit();
