/**
 * A real haproxy in the foreground, on loopback ports that were free.
 *
 * @module
 */

import { getAvailablePort } from "@std/net";
import { CERT, KEY } from "../conn/_loopback.ts";

/** How often to start anew when somebody else has taken a port. */
const ATTEMPTS = 5;

/** How long to wait before the next try to connect, in ms. */
const RETRY_DELAY = 5;

/** Where haproxy may be; `/usr/sbin` is not on everybody's path. */
const DIRECTORIES = [
  ...(Deno.env.get("PATH") ?? "").split(":"),
  "/usr/local/sbin",
  "/usr/sbin",
];

const PROGRAM = DIRECTORIES.map((directory) => `${directory}/haproxy`)
  .find(isFile);

const isRequired = Deno.env.get("CI") === "true";

/** Whether tests are to be left out; in CI they are not, and fail. */
export const ignore: boolean = PROGRAM === undefined && !isRequired;

if (ignore) console.log("skipped: no haproxy");

/** What a configuration is made of. */
export interface Places {
  /** A directory of its own. */
  directory: string;
  /** A file with a certificate and its key. */
  cert: string;
  /** A port that is free. */
  port: number;
}

/** A haproxy that listens. */
export interface Haproxy extends Places, AsyncDisposable {}

/** Also a port to ask whether haproxy listens: all its ports do, or none. */
const beginning = (readyPort: number): string => `
global
  maxconn 100
defaults
  mode tcp
  timeout connect 2s
  timeout client 5s
  timeout server 5s
  timeout check 2s
frontend ready
  bind 127.0.0.1:${readyPort}
`;

/**
 * Starts haproxy with a configuration that listens on a port of loopback, and
 * waits until it does; `await using` ends it.
 */
export async function startHaproxy(
  configure: (places: Places) => string,
): Promise<Haproxy> {
  if (PROGRAM === undefined) throw new Error("haproxy is not installed");
  const directory = await Deno.makeTempDir();
  const cert = `${directory}/server.pem`;
  const file = `${directory}/haproxy.cfg`;
  const removeDirectory = () => Deno.remove(directory, { recursive: true });
  await Deno.writeTextFile(cert, CERT + KEY);
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const places = { directory, cert, port: getAvailablePort() };
    const readyPort = getAvailablePort();
    await Deno.writeTextFile(file, beginning(readyPort) + configure(places));
    const child = new Deno.Command(PROGRAM, {
      args: ["-db", "-q", "-f", file],
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    if (await isListening(child, readyPort)) {
      return {
        ...places,
        async [Symbol.asyncDispose]() {
          child.kill("SIGTERM");
          await child.status;
          await removeDirectory();
        },
      };
    }
  }
  await removeDirectory();
  throw new Error(`haproxy did not start in ${ATTEMPTS} attempts`);
}

/** Waits until a port answers; `false` when the process ends before. */
async function isListening(
  child: Deno.ChildProcess,
  port: number,
): Promise<boolean> {
  let hasEnded = false;
  const ended = child.status.then(() => {
    hasEnded = true;
  });
  while (!hasEnded) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    }
    const delay = Promise.withResolvers<void>();
    const timer = setTimeout(delay.resolve, RETRY_DELAY);
    await Promise.race([ended, delay.promise]);
    clearTimeout(timer);
  }
  return false;
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
