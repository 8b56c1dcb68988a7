/** @module */

import { onlyVersion } from "./_differences.ts";
import { isRoot, versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { write } from "./_start.ts";
import { startBefore } from "./_upstream.ts";

const configuration = (directory: string, port: number, upstream: number) => `
${isRoot ? "user: root" : ""}
num-threads: 1
pid-file: ${directory}/h2o.pid
listen:
  host: 127.0.0.1
  port: ${port}
  proxy-protocol: ON
hosts:
  default:
    paths:
      /:
        proxy.reverse.url: http://127.0.0.1:${upstream}/
        proxy.timeout.keepalive: 0
`;

/** h2o before a server: X-Forwarded-For. */
export const receiver: Receiver = {
  name: "h2o",
  isCheap: false,
  needsRoot: false,
  packages: ["h2o"],
  programs: ["h2o"],
  tells: ["src"],
  differs: onlyVersion(1),
  version: () => versionOf("h2o", "--version"),
  start: () =>
    startBefore("X-Forwarded-For", (upstream) => ({
      async configure({ directory, port }) {
        const file = `${directory}/h2o.yaml`;
        await write(file, configuration(directory, port, upstream));
        return { program: "h2o", args: ["-c", file] };
      },
    })),
};
