/** Runs the Worker by the real workerd, which comes from npm. */

import type { AcceptOptions, Address } from "../../../mod.ts";
import { KEY_PAIR, Queue, within } from "../bun/_client.ts";
import { run } from "../bun/_run.ts";
import { esbuildProgram, workerdProgram } from "../../_npm.ts";

/** A socket that workerd listens on, and the service behind it. */
export interface Service {
  role: "echo" | "describe" | "tell" | "trust" | "startTls";
  options: AcceptOptions;
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

/** Starts workerd with services by name; ready when it listens on all of them. */
export async function startWorkerd(
  services: Record<string, Service>,
): Promise<Running> {
  const folder = await Deno.makeTempDir({ prefix: "workerd-" });
  try {
    await writeConfig(folder, services);
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
      const told: Refusal | Listening = JSON.parse(line);
      if (!("port" in told)) return refusals.add(told);
      ports.set(told.socket, told.port);
      if (ports.size === Object.keys(services).length) listening.resolve();
    });
    const stop = async () => {
      child.kill();
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
  await Deno.writeTextFile(`${folder}/config.capnp`, configOf(services));
}

function configOf(services: Record<string, Service>): string {
  const entries = Object.entries(services);
  const workers = entries.map(([name, { role, options }]) =>
    `(name = "${name}", worker = (
      modules = [(name = "worker", esModule = embed "worker.js")],
      compatibilityDate = "2026-11-01",
      compatibilityFlags = ["connect_handler_starttls"],
      bindings = [
        (name = "role", text = "${role}"),
        (name = "options", json = ${JSON.stringify(JSON.stringify(options))}),
      ],
    ))`
  );
  const sockets = entries.map(([name, { role, hostname = "127.0.0.1" }]) =>
    `(name = "${name}", address = "${
      hostname.includes(":") ? `[${hostname}]` : hostname
    }:0", service = "${name}",
      tcp = (${role === "startTls" ? START_TLS : ""}))`
  );
  return `using Workerd = import "/workerd/workerd.capnp";
    const config :Workerd.Config = (
      services = [${workers.join()}],
      sockets = [${sockets.join()}],
    );`;
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
