/**
 * Proxies as programs, on a port of loopback that was free: they take a header and
 * pass one on.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** How often, and after how many ms, a port is tried until it answers. */
const TRIES = { count: 200, pause: 20 };

/** How to start a proxy. */
export interface Program {
  path: string;
  args: (config: string, port: number, upstream: number) => string[];
  /** Its configuration, if it reads one. */
  config?: (port: number, upstream: number, directory: string) => string;
}

/** haproxy, with so many threads. */
export function haproxy(threads: number): Program {
  return {
    path: "/usr/sbin/haproxy",
    args: (config) => ["-db", "-q", "-f", config],
    config: (port, upstream) => `
global
  nbthread ${threads}
  maxconn 1000
defaults
  mode tcp
  timeout connect 2s
  timeout client 10s
  timeout server 10s
listen relay
  bind 127.0.0.1:${port} accept-proxy
  server up 127.0.0.1:${upstream} send-proxy-v2
`,
  };
}

/** nginx, with one process. */
export const NGINX: Program = {
  path: "/usr/sbin/nginx",
  args: (config) => ["-c", config, "-e", "/dev/null"],
  config: (port, upstream, directory) => `
load_module /usr/lib/nginx/modules/ngx_stream_module.so;
daemon off;
master_process off;
pid ${directory}/nginx.pid;
error_log /dev/null crit;
events { worker_connections 1000; }
stream {
  server {
    listen 127.0.0.1:${port} proxy_protocol;
    proxy_pass 127.0.0.1:${upstream};
    proxy_protocol on; # of version 1: this nginx sends no other
  }
}
`,
};

/** A proxy that listens. */
export interface Rival extends AsyncDisposable {
  /** Where it does. */
  readonly port: number;
}

/** Starts a proxy in front of a server; `undefined` where it is not installed. */
export async function startRival(
  { path, args, config }: Program,
  upstream: number,
): Promise<Rival | undefined> {
  if (!existsSync(path)) return undefined;
  const directory = mkdtempSync(join(tmpdir(), "rival-"));
  const file = join(directory, "config");
  const port = await freePort();
  if (config !== undefined) {
    writeFileSync(file, config(port, upstream, directory));
  }
  const child = spawn(path, args(file, port, upstream), { stdio: "ignore" });
  const ended = new Promise((resolve) => child.on("close", resolve));
  const rival = {
    port,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
      rmSync(directory, { recursive: true });
    },
  };
  for (let i = 0; i < TRIES.count; i++) {
    if (await answers(port)) return rival;
    await setTimeout(TRIES.pause);
  }
  await rival[Symbol.asyncDispose]();
  throw new Error(`${path} does not listen`);
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("connect", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  });
}
