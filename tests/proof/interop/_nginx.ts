/**
 * A real nginx in the foreground, with its stream module.
 *
 * @module
 */

import { type Places, type Running, start, untilServed } from "./_system.ts";

/** Starts nginx with the servers of a `stream` block. */
export function startNginx(
  configure: (places: Places) => string,
  portCount = 1,
): Promise<Running> {
  return startWith({ stream: configure }, portCount);
}

/** Starts nginx with the servers of an `http` block. */
export function startNginxHttp(
  configure: (places: Places) => string,
  portCount = 1,
): Promise<Running> {
  return startWith({ http: configure }, portCount);
}

/** Servers of each block. */
interface Blocks {
  stream?: (places: Places) => string;
  http?: (places: Places) => string;
}

async function startWith(
  { stream, http }: Blocks,
  portCount: number,
): Promise<Running> {
  const running = await start(portCount + 1, async (places) => {
    const { directory } = places;
    // It answers when all others listen, and sends nothing to anybody.
    const readyPort = places.ports[portCount] ?? 0;
    const file = `${directory}/nginx.conf`;
    await Deno.writeTextFile(
      file,
      `
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
master_process off; # so that the process that was started is the one to end
${Deno.uid() === 0 ? "user root;" : ""}
pid ${directory}/nginx.pid;
error_log ${directory}/error.log info;
events { worker_connections 256; }
stream {
  server { listen 127.0.0.1:${readyPort}; return ready; }
  ${stream?.(places) ?? ""}
}
${http === undefined ? "" : httpBlock(directory, http(places))}
`,
    );
    return {
      program: "nginx",
      args: ["-p", directory, "-c", file, "-e", `${directory}/error.log`],
      ready: [readyPort],
    };
  });
  await untilServed(running.ports[portCount] ?? 0);
  return running;
}

/** Its temporary files go where it may write. */
function httpBlock(directory: string, servers: string): string {
  return `
http {
  access_log off;
  client_body_temp_path ${directory}/b;
  proxy_temp_path ${directory}/p;
  fastcgi_temp_path ${directory}/f;
  scgi_temp_path ${directory}/s;
  uwsgi_temp_path ${directory}/u;
  ${servers}
}
`;
}
