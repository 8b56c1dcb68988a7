/**
 * A real nginx in the foreground, with its stream module.
 *
 * @module
 */

import { type Places, type Running, start, untilServed } from "./_system.ts";

/** Starts nginx with the servers of a `stream` block. */
export async function startNginx(
  configure: (places: Places) => string,
  portCount = 1,
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
  ${configure(places)}
}
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
