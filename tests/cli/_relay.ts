/** `relay` as a process, between clients and services of the test. */

import { receive, send } from "../conn/_peers.ts";
import { within } from "../_within.ts";
import { type On, start, type Started } from "./_cli.ts";

/** A relay, and the ports on which it listens. */
export async function relayTo(
  on: On,
  targets: readonly Deno.TcpListener[],
  ...args: string[]
): Promise<{ cli: Started; ports: number[] }> {
  const maps = targets.flatMap(({ addr }) => [
    "--map",
    `127.0.0.1:0=127.0.0.1:${addr.port}`,
  ]);
  const file = args[args.indexOf("--trust-file") + 1];
  const cli = start(
    on,
    [
      "--allow-net",
      ...(args.includes("--trust-file") ? [`--allow-read=${file}`] : []),
    ],
    ["relay", ...maps, ...args],
  );
  const ports: number[] = [];
  for (const { addr } of targets) {
    const [, port] = await cli.err(
      new RegExp(
        `Relaying 127\\.0\\.0\\.1:(\\d+) to 127\\.0\\.0\\.1:${addr.port}\n`,
      ),
    );
    ports.push(Number(port));
  }
  return { cli, ports };
}

/** A client that has sent bytes, and its connection at the service. */
export async function connect(
  port: number | undefined,
  service: Deno.TcpListener,
  ...sent: (Uint8Array | string)[]
): Promise<{ client: Deno.TcpConn; conn: Deno.TcpConn } & Disposable> {
  using opened = new DisposableStack();
  const client = opened.use(await dial(port));
  for (const bytes of sent) await send(client, bytes);
  const conn = opened.use(await within(service.accept(), "the relay"));
  const ends = opened.move();
  return { client, conn, [Symbol.dispose]: () => ends.dispose() };
}

export function dial(port: number | undefined): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port: port ?? 0 });
}

export const TRUST = ["--trust", "127.0.0.0/8"];

/** Connecting is refused once the relay does not listen any more. */
export function untilRefused(port: number | undefined): Promise<void> {
  const dialling = async () => {
    for (;;) {
      try {
        using conn = await dial(port);
        await receive(conn); // closed with the listener
      } catch (error) {
        if (error instanceof Deno.errors.ConnectionRefused) return;
        // It was in the backlog of the listener when that was closed.
        if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
      }
    }
  };
  return within(dialling(), "the listener to close");
}
