import { callsOfDeno } from "./calls.ts";
import { quote } from "../../codec/internal.ts";
import { LOOPBACK } from "./loopback.ts";

/** Where Deno moves the first `Deno.serve` of a process to. */
const VARIABLE = "DENO_SERVE_ADDRESS";

/** A port that no address has. */
const NO_PORT = -1;

/** Where the public listener is opened: a path, or an address. */
export interface OuterAddress {
  readonly path?: string | undefined;
  readonly hostname?: string | undefined;
  readonly port?: number | undefined;
}

/** Options of a public listener on an address. */
export interface OuterOptions extends OuterAddress {
  readonly reusePort?: boolean | undefined;
  readonly tcpBacklog: number;
}

/** A public listener. */
export type OuterListener = Deno.TcpListener | Deno.UnixListener;

/**
 * Opens the public listener where `Deno.serve` would listen: where the
 * environment says, if this is the first of the process. No later `Deno.serve`
 * is moved, the internal server least of all.
 *
 * @throws {Error} if the environment moves it to what cannot be listened on here.
 */
export function listenOutside(options: OuterOptions): OuterListener {
  const value = readVariable();
  const address = value === undefined ? undefined : parseAddress(value);
  let listener: OuterListener | undefined;
  let failure: unknown;
  try {
    // Before `takeMove`: what Deno moves cannot be opened then.
    if (address !== undefined) listener = open({ ...options, ...address });
  } catch (error) {
    failure = error;
  }
  if (!takeMove()) { // an earlier `Deno.serve` has been moved, or none is
    listener?.close();
    return open(options);
  }
  if (listener !== undefined) return listener;
  throw failure ?? moveError(value);
}

/** Opens a listener; its reusing a port is not in the stable types of Deno. */
function open(options: OuterOptions): OuterListener {
  const { path, hostname = "0.0.0.0", port = 8000, tcpBacklog } = options;
  if (path !== undefined) {
    return callsOfDeno().listen({ transport: "unix", path });
  }
  const { reusePort } = options;
  const reuse = reusePort ? { reusePort } : {};
  return callsOfDeno().listen({ hostname, port, tcpBacklog, ...reuse });
}

/** The variable, if it may be read without asking somebody. */
function readVariable(): string | undefined {
  const query = { name: "env", variable: VARIABLE } as const;
  if (Deno.permissions.querySync(query).state !== "granted") return undefined;
  return Deno.env.get(VARIABLE);
}

/**
 * Reads an address; `undefined` for one that is not supported.
 *
 * @throws {Error} for two at once, which Deno does not show to be moved.
 */
function parseAddress(value: string): OuterAddress | undefined {
  if (value.startsWith("duplicate,")) throw moveError(value);
  if (value.startsWith("unix:")) return { path: value.slice("unix:".length) };
  const [, hostname, port] = /^tcp:\[?(.+?)\]?:(\d+)$/.exec(value) ?? [];
  if (hostname === undefined) return undefined;
  return { path: undefined, hostname, port: Number(port) };
}

/**
 * Returns whether Deno would have moved the next `Deno.serve`. It moves one
 * only, and that has been this call.
 *
 * The variable alone does not say so: it may not be readable, an earlier call may
 * have been moved, and `deno run --tunnel` moves without it.
 */
function takeMove(): boolean {
  const abort = new AbortController();
  const { signal } = abort;
  const options = { hostname: LOOPBACK, port: NO_PORT, signal, onListen() {} };
  try {
    callsOfDeno().serve(options, () => new Response(null, { status: 503 }));
    return true;
  } catch (error) {
    return !(error instanceof RangeError); // which is about the port
  } finally {
    abort.abort();
  }
}

function moveError(value: string | undefined): Error {
  return new Error(
    value === undefined
      ? `Cannot serve: Deno moves the first server of this process by ${VARIABLE} or a tunnel, to an address that cannot be read; allow it with --allow-env=${VARIABLE}, or unset it`
      : `Cannot serve on ${VARIABLE} ${
        quote(value)
      }: expected "tcp:<address>:<port>" or "unix:<path>"`,
  );
}
