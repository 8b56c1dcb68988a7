/** @module */

import { NO_UNKNOWN, onlyVersion } from "./_differences.ts";
import { PYTHON, versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

const APPLICATION = `
def app(environ, start_response):
    words = {"src": "REMOTE_ADDR", "sport": "REMOTE_PORT", "dst": "PROXY_ADDR", "dport": "PROXY_PORT"}
    body = " ".join(f"{word}={environ.get(name, '')}" for word, name in words.items()).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
`;

/** gunicorn: the body of its answer. */
export const receiver: Receiver = {
  name: "gunicorn",
  isCheap: false,
  needsRoot: false,
  packages: ["gunicorn"],
  programs: [PYTHON, "gunicorn"],
  tells: ["src", "sport", "dst", "dport"],
  differs: { ...NO_UNKNOWN, ...onlyVersion(1) },
  version: () => versionOf("gunicorn", "--version"),
  start: () =>
    startPlan({
      async configure({ directory, port }) {
        await write(`${directory}/who.py`, APPLICATION);
        return {
          program: "gunicorn",
          args: [
            ...["--proxy-protocol", "--proxy-allow-from", "127.0.0.1"],
            ...["--bind", `127.0.0.1:${port}`, "who:app"],
          ],
          cwd: directory,
        };
      },
    }),
};
