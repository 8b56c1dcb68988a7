/** @module */

import {
  NO_CHECKSUM,
  NO_SHORT_UNKNOWN,
  NO_UDP,
  NO_UNIX,
  NO_UNSPEC,
} from "./_differences.ts";
import { giveTo, versionOf } from "./_programs.ts";
import type { Receiver } from "./_receiver.ts";
import { startPlan, write } from "./_start.ts";

const MODULES = "/usr/lib/apache2/modules";

const configuration = (directory: string, port: number) => `
ServerRoot ${directory}
ServerName localhost
PidFile ${directory}/httpd.pid
Listen 127.0.0.1:${port}
User www-data
Group www-data
LoadModule mpm_event_module ${MODULES}/mod_mpm_event.so
LoadModule authz_core_module ${MODULES}/mod_authz_core.so
LoadModule remoteip_module ${MODULES}/mod_remoteip.so
LoadModule headers_module ${MODULES}/mod_headers.so
StartServers 1
ThreadsPerChild 8
MaxRequestWorkers 8
ErrorLog ${directory}/error.log
<VirtualHost *:${port}>
  RemoteIPProxyProtocol On
  Header always set X-Client "expr=src=%{REMOTE_ADDR}"
</VirtualHost>
`;

/** Apache with mod_remoteip: a field of its answer, whatever that is. */
export const receiver: Receiver = {
  name: "apache",
  isCheap: false,
  needsRoot: false,
  packages: ["apache2"],
  programs: ["apache2"],
  tells: ["src"],
  differs: {
    ...NO_CHECKSUM,
    ...NO_UDP,
    ...NO_SHORT_UNKNOWN,
    ...NO_UNSPEC,
    ...NO_UNIX,
  },
  version: () => versionOf("apache2", "-v"),
  start: () =>
    startPlan({
      async configure({ directory, port }) {
        const file = `${directory}/apache.conf`;
        await write(file, configuration(directory, port));
        await giveTo("www-data", directory);
        return { program: "apache2", args: ["-DFOREGROUND", "-f", file] };
      },
    }),
};
