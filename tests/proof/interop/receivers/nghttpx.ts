/** @module */

import { NO_CHECKSUM, NO_PIECES, REAL_UNIX } from "./_differences.ts";
import { versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { write } from "./_start.ts";
import { startBefore } from "./_upstream.ts";

const configuration = (port: number, upstream: number) => `
frontend=127.0.0.1,${port};no-tls;proxyproto
backend=127.0.0.1,${upstream}
add-x-forwarded-for=yes
workers=1
errorlog-file=/dev/stderr
`;

/** nghttpx before a server: X-Forwarded-For. */
export const receiver: Receiver = {
  name: "nghttpx",
  isCheap: false,
  needsRoot: false,
  packages: ["nghttp2-proxy"],
  programs: ["nghttpx"],
  tells: ["src"],
  differs: { ...NO_PIECES, ...NO_CHECKSUM, ...REAL_UNIX },
  version: () => versionOf("nghttpx", "--version"),
  start: () =>
    startBefore("X-Forwarded-For", (upstream) => ({
      async configure({ directory, port }) {
        const file = `${directory}/nghttpx.conf`;
        await write(file, configuration(port, upstream));
        return { program: "nghttpx", args: [`--conf=${file}`] };
      },
    })),
};
