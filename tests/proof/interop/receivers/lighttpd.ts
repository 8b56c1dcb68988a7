/** @module */

import { NO_CHECKSUM, NO_PIECES, REAL_UDP } from "./_differences.ts";
import { versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

const configuration = (directory: string, port: number) => `
server.bind = "127.0.0.1"
server.port = ${port}
server.document-root = "${directory}/www"
server.modules = ("mod_extforward", "mod_ssi")
server.errorlog = "${directory}/error.log"
index-file.names = ("who")
ssi.extension = ("who")
extforward.forwarder = ("127.0.0.1" => "trust")
extforward.hap-PROXY = "enable"
`;

const PAGE = `src=<!--#echo var="REMOTE_ADDR" -->`;

/** lighttpd with mod_extforward: a page that includes the address. */
export const receiver: Receiver = {
  name: "lighttpd",
  isCheap: false,
  needsRoot: false,
  packages: ["lighttpd"],
  programs: ["lighttpd"],
  tells: ["src"],
  differs: { ...NO_PIECES, ...NO_CHECKSUM, ...REAL_UDP },
  version: () => versionOf("lighttpd", "-v"),
  start: () =>
    startPlan({
      async configure({ directory, port }) {
        const file = `${directory}/lighttpd.conf`;
        await write(file, configuration(directory, port));
        await write(`${directory}/www/who`, PAGE);
        return { program: "lighttpd", args: ["-D", "-f", file] };
      },
    }),
};
