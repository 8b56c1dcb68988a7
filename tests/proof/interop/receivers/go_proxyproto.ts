/** @module */

import { NO_CHECKSUM, NO_PIECES_OF_V1, NO_UNSPEC } from "./_differences.ts";
import { beside, run, versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan } from "./_start.ts";

const PACKAGE = "golang-github-pires-go-proxyproto-dev";
const SOURCES = "/usr/share/gocode";

/** go-proxyproto, which is compiled: what its connection shows. */
export const receiver: Receiver = {
  name: "go-proxyproto",
  isCheap: false,
  needsRoot: false,
  packages: ["golang-go", PACKAGE],
  programs: ["go", `${SOURCES}/src/github.com/pires/go-proxyproto`],
  tells: ["src", "sport", "dst", "dport", "alpn", "authority", "unique_id"],
  differs: { ...NO_PIECES_OF_V1, ...NO_CHECKSUM, ...NO_UNSPEC },
  version: () => versionOf("dpkg-query", "-W", PACKAGE),
  start: () =>
    startPlan({
      async configure({ directory, port }) {
        const program = `${directory}/receiver`;
        const source = beside("go_proxyproto.go");
        await run("go", ["build", "-o", program, source], {
          GO111MODULE: "off",
          GOPATH: SOURCES,
          GOCACHE: `${directory}/cache`,
        });
        return { program, args: [String(port)] };
      },
    }),
};
