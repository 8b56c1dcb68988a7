/**
 * What the two drivers of nginx have in common.
 *
 * @module
 */

import { isRoot, versionOf } from "./_programs.ts";
import type { Plan } from "./_start.ts";
import { write } from "./_start.ts";

/** What does not depend on how it is used. */
export const NGINX = {
  isCheap: true,
  needsRoot: false,
  version: (): Promise<string> => versionOf("nginx", "-v"),
} as const;

/** Starts nginx with servers that are described for a port. */
export function nginxPlan(
  servers: (port: number, directory: string) => string,
  modules = "",
): Pick<Plan, "configure"> {
  return {
    async configure({ directory, port }) {
      const file = `${directory}/nginx.conf`;
      const errors = `${directory}/error.log`;
      // One process, so that the one that was started is the one to end.
      await write(
        file,
        `${modules}
daemon off;
master_process off;
${isRoot ? "user root;" : ""}
pid ${directory}/nginx.pid;
error_log ${errors} info;
events { worker_connections 256; }
${servers(port, directory)}`,
      );
      return {
        program: "nginx",
        args: ["-p", directory, "-c", file, "-e", errors],
      };
    },
  };
}
