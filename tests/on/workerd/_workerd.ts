/** Runs the Worker by the real workerd, which comes from npm. */

import type { AcceptOptions, Address } from "../../../mod.ts";
import { KEY_PAIR, Queue, within } from "../bun/_client.ts";
import { run } from "../bun/_run.ts";
import type { Seen } from "../_seen.ts";
import type { Rejected, Watched } from "../_service.ts";
import { esbuildProgram, workerdProgram } from "../../_npm.ts";

/** A socket that workerd listens on, and the service behind it. */
export interface Service {
  role: "echo" | "describe" | "tell" | "trust" | "startTls";
  options: AcceptOptions;
  watched?: Watched;
  /**
   * Where it listens.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string;
}

/** What the Worker tells of a connection that it did not serve. */
export interface Refusal {
  code?: string;
  hop?: Address;
  /** Any other error. */
  error?: string;
}

/** What the Worker tells of a service that is watched, as it happens. */
export type Note =
  & { service: string }
  & (
    | { arrived: true }
    | { rejected: Rejected }
    | { verified: Seen }
    | { served: Seen }
  );

/** What workerd itself tells of a socket. */
interface Listening {
  socket: string;
  port: number;
}

/** A workerd that runs. */
export interface Running extends AsyncDisposable {
  /** Ports by the name of the service. */
  ports: Map<string, number>;
  refusals: Queue<Refusal>;
  /** How many files it has open. */
  openFiles(): number;
}

/** Who watches the services that are watched. */
export interface Watcher {
  /** Port of the HTTP server that says what `verify` answers, and when the signal fires. */
  port: number;
  note(note: Note): void;
}

/** Starts workerd with services by name; ready when it listens on all of them. */
export async function startWorkerd(
  services: Record<string, Service>,
  watcher?: Watcher,
): Promise<Running> {
  const folder = await Deno.makeTempDir({ prefix: "workerd-" });
  try {
    await writeConfig(folder, services, watcher?.port);
    const child = new Deno.Command(workerdProgram(), {
      // It chooses the ports, and tells them.
      args: ["serve", "--experimental", "--control-fd=1", "config.capnp"],
      cwd: folder,
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const errors = new Response(child.stderr).text();
    const ports = new Map<string, number>();
    const refusals = new Queue<Refusal>();
    const listening = Promise.withResolvers<void>();
    const reading = readLines(child.stdout, (line) => {
      const told: Refusal | Note | Listening = JSON.parse(line);
      if ("service" in told) return watcher?.note(told);
      if (!("port" in told)) return refusals.add(told);
      ports.set(told.socket, told.port);
      if (ports.size === Object.keys(services).length) listening.resolve();
    });
    const stop = async () => {
      try {
        child.kill();
      } catch {
        // It has ended by itself.
      }
      await Promise.all([child.status, reading]);
      await Deno.remove(folder, { recursive: true });
      return await errors;
    };
    try {
      await within(
        Promise.race([listening.promise, child.status]),
        "workerd to listen",
      );
      if (ports.size === 0) throw new Error("workerd does not listen");
    } catch (cause) {
      throw new Error(await stop(), { cause });
    }
    return {
      ports,
      refusals,
      openFiles: () => [...Deno.readDirSync(`/proc/${child.pid}/fd`)].length,
      async [Symbol.asyncDispose]() {
        const told = await stop();
        if (told !== "") throw new Error(`workerd complains:\n${told}`);
      },
    };
  } catch (error) {
    await Deno.remove(folder, { recursive: true }).catch(() => {});
    throw error;
  }
}

async function writeConfig(
  folder: string,
  services: Record<string, Service>,
  control: number | undefined,
): Promise<void> {
  const source = new URL("_worker.ts", import.meta.url).pathname;
  const { success, all } = await run([
    esbuildProgram(),
    source,
    ...["--bundle", "--format=esm", "--platform=browser"],
    `--outfile=${folder}/worker.js`,
  ]);
  if (!success) throw new Error(`esbuild failed:\n${all}`);
  await Deno.writeTextFile(`${folder}/cert.pem`, KEY_PAIR.cert);
  await Deno.writeTextFile(`${folder}/key.pem`, KEY_PAIR.key);
  await Deno.writeTextFile(
    `${folder}/config.capnp`,
    configOf(services, control),
  );
}

function configOf(
  services: Record<string, Service>,
  control: number | undefined,
): string {
  const entries = Object.entries(services);
  const workers = entries.map(([name, { role, options, watched = null }]) =>
    `(name = "${name}", worker = (
      modules = [(name = "worker", esModule = embed "worker.js")],
      compatibilityDate = "2026-11-01",
      compatibilityFlags = ["connect_handler_starttls"],
      bindings = [
        (name = "role", text = "${role}"),
        (name = "options", json = ${quoteJson(options)}),
        (name = "name", text = "${name}"),
        (name = "watched", json = ${quoteJson(watched)}),
        ${control ? '(name = "control", service = "control"),' : ""}
      ],
    ))`
  );
  const controls = control === undefined ? [] : [
    `(name = "control", external = (address = "127.0.0.1:${control}", http = ()))`,
  ];
  const sockets = entries.map(([name, { role, hostname = "127.0.0.1" }]) =>
    `(name = "${name}", address = "${
      hostname.includes(":") ? `[${hostname}]` : hostname
    }:0", service = "${name}",
      tcp = (${role === "startTls" ? START_TLS : ""}))`
  );
  return `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [${[...workers, ...controls].join()}],
      sockets = [${sockets.join()}],
    );`;
}

/** A value as text of JSON in a string of the configuration. */
function quoteJson(value: unknown): string {
  return JSON.stringify(JSON.stringify(value));
}

const START_TLS = `tlsMode = startTls, tlsOptions = (keypair = (
  privateKey = embed "key.pem", certificateChain = embed "cert.pem"))`;

/** Gives each line of a stream. */
export async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
}
