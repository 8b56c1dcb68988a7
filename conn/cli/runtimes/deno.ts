import process from "node:process";
import { toAddress } from "../../_ends.ts";
import { accept } from "../../accept.ts";
import { proxied } from "../../proxied.ts";
import { relay } from "../../relay.ts";
import type { HostPort } from "../read_text.ts";
import type { Runtime } from "../runtime.ts";
import { cliUrl } from "./cli_url.ts";

/** Deno, by its own listeners: `node:net` never accepts again after it had no descriptors left. */
export const DENO: Runtime = {
  listen(where) {
    const listener = Deno.listen(where);
    return Promise.resolve({
      addr: toAddress(listener.addr),
      async accept() {
        const tcp = await listener.accept();
        return {
          hop: toAddress(tcp.remoteAddr),
          receive: (options) => accept(tcp, options),
        };
      },
      close: () => listener.close(),
    });
  },
  serve({ where, reusePort, options }, handle) {
    const listener = proxied(Deno.listen({ ...where, reusePort }), options);
    (async () => {
      for await (const conn of listener) {
        keepAlive(conn.raw);
        handle({
          info: conn.info,
          hop: conn.hopAddr,
          relay: (to, options) => relay(conn, () => dial(to), options),
          close: () => conn.close(),
        });
      }
    })();
    return Promise.resolve({
      addr: toAddress(listener.addr),
      stats: listener.stats,
      close: () => listener.close(),
    });
  },
  spawn(args, files) {
    const child = new Deno.Command(process.execPath, {
      args: [...program(files), ...args],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const input = child.stdin.getWriter();
    return {
      output: child.stdout,
      write: (text) =>
        void input.write(new TextEncoder().encode(text)).catch(() => {}),
      end: () => void input.close().catch(() => {}),
      kill: () => child.kill("SIGKILL"),
      ended: child.status.then(({ code, signal }) => signal ?? `code ${code}`),
    };
  },
};

async function dial(to: HostPort): Promise<Deno.TcpConn> {
  const conn = await Deno.connect(to);
  keepAlive(conn);
  return conn;
}

function keepAlive(conn: Deno.TcpConn): void {
  try {
    conn.setKeepAlive(true);
  } catch {
    // It has been reset, which reading reports.
  }
}

/** What starts the command line besides this executable: nothing if it is compiled. */
function program(files: readonly string[]): string[] {
  if (Deno.build.standalone) return [];
  return [
    ...["run", "--quiet", "--no-prompt", "--no-config", "--allow-net"],
    "--unstable-net", // for the port that workers share
    ...files.map((file) => `--allow-read=${file}`),
    cliUrl().href,
  ];
}
