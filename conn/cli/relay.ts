import type { Command } from "./command.ts";
import { attempt, print } from "./io.ts";
import { readRelayArgs, RELAY_OPTIONS } from "./relay_args.ts";
import { failuresReporter, logReporter } from "./reporter.ts";
import { runServices } from "./run_services.ts";
import { startServices } from "./services.ts";
import { TrustFile } from "./trust_file.ts";
import { runWorker, toParent } from "./worker.ts";
import { startWorkers } from "./workers.ts";

/** Forwards connections. */
export const RELAY: Command = {
  usage: "--map [HOST:]PORT=HOST:PORT --trust RANGE [OPTION...]",
  summary:
    "Removes or adds headers of connections, and relays them to other servers.",
  notes:
    `Each --map is a port to listen on and its service. With --send the service
receives a header with the client and all received TLVs. Without it the service
receives only the bytes after the header. --accept none is for the first proxy of
a chain. It expects no header and needs no --trust. With --accept optional, the
clients of a trusted peer that sends no headers can forge one.

A RANGE is an address, a CIDR range, loopback or private. --untrusted direct
relays all other clients without a header, --untrusted RANGE only these clients.

Rejected connections and failures are lines on standard error. With --stats,
relay prints a line for each port. It counts connections that are accepted
(direct without a header, local), rejected by reason, pending, active and failed,
and the bytes of ended connections.

SIGTERM and SIGINT stop listening. Open connections may end within --grace. Then
they are closed, and the exit code is 0. A second signal ends at once.

TCP keepalive is on for both sides. A worker that ends is replaced. conn/cli in
the repository has the formats of --log and --metrics, and recipes for systemd
and containers.`,
  options: RELAY_OPTIONS,
  permissions:
    "--allow-net; --allow-read for --trust-file, --allow-run for --workers",
  examples: [
    "--map 15222=127.0.0.1:5222 --map 15269=127.0.0.1:5269 --trust 10.0.0.0/8",
    "--map 8443=10.0.0.9:443 --trust 10.0.0.0/8 --send v2 --checksum --drop xEA",
    "--map 25=10.0.0.9:10025 --accept none --send v1",
    "--map 443=10.0.0.9:443 --trust-file proxies.txt --log json --metrics 9100",
  ],
  async run(args, io) {
    const { services: options, running, ...rest } = readRelayArgs(args);
    const { file, form, workers, isWorker } = rest;
    const trustFile = file === undefined
      ? undefined
      : await attempt(`read ${file}`, () => TrustFile.open(file));
    if (workers > 1 && !isWorker) {
      const services = await startWorkers(io, workers, {
        args: ["relay", ...args, "--worker"],
        files: file === undefined ? [] : [file],
      });
      await runServices(io, services, running);
      return 0;
    }
    const write = isWorker ? toParent(io) : (text: string) => print(io, text);
    const reporter = form === undefined
      ? failuresReporter(io)
      : logReporter(io, form, write);
    const services = await startServices({ ...options, trustFile }, reporter);
    if (isWorker) await runWorker(io, services, running.grace);
    else await runServices(io, services, running);
    return 0;
  },
};
