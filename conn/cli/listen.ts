import { EMPTY, LARGEST_PORT } from "../../codec/internal.ts";
import { formatAddress } from "../../codec/mod.ts";
import { readOptions } from "../admission/policy.ts";
import { isPeerGone, toRefusal } from "../admission/refusal.ts";
import { Pauses } from "../native/pauses.ts";
import { closeQuietly } from "../proxied_conn.ts";
import {
  asUsage,
  decodeOptions,
  LENIENCIES,
  type Options,
  readArgs,
  trustOf,
} from "./args.ts";
import { type HostPort, readHostPort, readNumber } from "./read_text.ts";
import { UsageError } from "./usage_error.ts";
import type { Command } from "./command.ts";
import {
  attempt,
  boundedWarn,
  type CliIo,
  print,
  reasonOf,
  warn,
  writeAll,
} from "./io.ts";
import { type PageServer, servePage } from "./page_server.ts";
import { loadRuntime } from "./load_runtime.ts";
import type { Arrival, ByteConn, HeaderOptions, Received } from "./runtime.ts";
import { jsonLine, line, type Seen, verbose } from "./seen.ts";
import { printable } from "./show.ts";

/** Time in ms to read on before closing. Closing at once would reset the peer. */
const DRAIN_TIME = 1000;

/**
 * Most connections at once, so that no peer can use all descriptors. More wait in
 * the system.
 */
const MOST_AT_ONCE = 256;

const OPTIONS = {
  port: { type: "string", value: "[HOST:]PORT", help: "where to listen" },
  trust: {
    type: "string",
    multiple: true,
    value: "RANGE",
    help:
      "who may send a header, repeatable: address, range, loopback, private (any)",
  },
  json: { type: "boolean", help: "one line of JSON for each connection" },
  verbose: { type: "boolean", help: "the table of decode below each line" },
  http: { type: "boolean", help: "answer by HTTP/1.1 with the table" },
  ui: {
    type: "string",
    value: "[PORT]",
    help: "serve a page that shows each header, on 127.0.0.1 (any free port)",
  },
  count: {
    type: "string",
    value: "NUMBER",
    help: "end after this many connections",
  },
  ...LENIENCIES,
} as const satisfies Options;

/** Shows what arrives. */
export const LISTEN: Command = {
  usage: "[HOST:]PORT [OPTION...]",
  summary: "What does my balancer send? Prints a line for each connection.",
  notes:
    `A line has the time, the peer that connected and the header: version, command,
family, client, destination, TLVs and the result of the checksum. A rejected
connection is shown with the reason, the byte and its first bytes. A connection
that closes without a byte, as health checks do, is shown as empty. Then each
connection is closed. A peer that has reset before it could be accepted is shown
as -. If the system has no descriptors left, listen prints a warning and tries
again.

--ui shows the headers byte by byte in a page, only for this machine.

Without --trust every peer may send a header, because listen only shows it.
SIGINT and SIGTERM end listen with exit code 0.`,
  options: OPTIONS,
  permissions: "--allow-net",
  examples: [
    "8080",
    "'[::]:8080' --verbose",
    "127.0.0.1:8080 --json --count 1",
    "8080 --ui",
  ],
  async run(args, io) {
    const { values, positionals } = readArgs(withUiPort(args), OPTIONS);
    const where = [...positionals, ...(values.port ? [values.port] : [])];
    if (where.length !== 1) {
      throw new UsageError(
        `Cannot listen: expected one [HOST:]PORT, received ${where.length}`,
      );
    }
    const address = readHostPort("PORT", where[0] ?? "", "0.0.0.0");
    const { trust = ["any"] } = values;
    const options: HeaderOptions = {
      ...decodeOptions(values),
      trust: trustOf(trust),
    };
    asUsage(() => readOptions(options));
    const most = values.count === undefined
      ? Infinity
      : readNumber("--count", values.count, 1, Number.MAX_SAFE_INTEGER);
    const show = values.json ? jsonLine : values.verbose ? verbose : line;
    const uiPort = values.ui === undefined
      ? undefined
      : readNumber("--ui", values.ui, 0, LARGEST_PORT);
    let page: PageServer | undefined;
    try {
      await listen(io, address, options, most, {
        async onListening(where) {
          if (uiPort === undefined) return;
          page = await attempt(
            "serve the page",
            () => servePage(uiPort, { where, options: decodeOptions(values) }),
          );
          await warn(io, `Showing headers at ${page.url}`);
        },
        async onConnection(seen, conn) {
          page?.show(seen);
          await print(io, show(seen));
          if (conn === undefined) return;
          if (values.http) await answer(conn, `${verbose(seen)}\n`);
          await drain(conn);
        },
      });
    } finally {
      page?.close();
    }
    return 0;
  },
};

/** Allows `--ui` without a value, which `parseArgs` does not support. */
function withUiPort(args: readonly string[]): string[] {
  return args.map((arg, i) =>
    arg === "--ui" && !/^\d+$/.test(args[i + 1] ?? "") ? "--ui=0" : arg
  );
}

/** What is done with connections. */
interface Shows {
  /** Called when it listens, with the address. It accepts after this resolves. */
  onListening(where: string): Promise<void>;
  onConnection(seen: Seen, conn?: ByteConn): Promise<void>;
}

/** Reads the headers of all connections, concurrently. */
async function listen(
  io: CliIo,
  address: HostPort,
  options: HeaderOptions,
  most: number,
  shows: Shows,
): Promise<void> {
  const where = formatAddress({ transport: "tcp", ...address });
  const runtime = await loadRuntime();
  const listener = await attempt(
    `listen on ${where}`,
    () => runtime.listen(address),
  );
  const ending = new AbortController();
  const signal = AbortSignal.any([io.stop(), ending.signal]);
  signal.addEventListener("abort", () => closeQuietly(listener));
  const pauses = new Pauses(signal);
  const report = boundedWarn(io);
  const running = new Set<Promise<void>>();
  let makeRoom = () => {};
  const bound = formatAddress(listener.addr);
  await warn(io, `Listening on ${bound}`);
  try {
    await shows.onListening(bound);
  } catch (error) {
    closeQuietly(listener);
    throw error;
  }
  for (let taken = 0; taken < most && !signal.aborted;) {
    const accepting = listener.accept();
    try {
      await accepting;
      pauses.reset();
    } catch (error) {
      if (signal.aborted) break;
      if (!isPeerGone(error)) {
        // Not awaited, so that it accepts connections even if nobody reads the line.
        report(`Cannot accept a connection, trying again: ${reasonOf(error)}`)
          .catch((error) => ending.abort(error));
        await pauses.take();
        continue;
      }
    }
    const work = receive(accepting, { ...options, signal }, shows.onConnection)
      .catch((error) => ending.abort(error))
      .finally(() => (running.delete(work), makeRoom()));
    running.add(work);
    taken++;
    // Not by a race of them all: each connection would cost as much as 256.
    if (running.size >= MOST_AT_ONCE) {
      await new Promise<void>((resolve) => makeRoom = resolve);
    }
  }
  closeQuietly(listener);
  await Promise.all(running);
  if (ending.signal.aborted) throw ending.signal.reason;
}

/**
 * Shows one connection. The address of a peer that has reset before it was accepted
 * is not known. A connection that is closed because the program ends is not shown.
 */
async function receive(
  accepting: Promise<Arrival>,
  options: HeaderOptions,
  show: Shows["onConnection"],
): Promise<void> {
  const time = new Date().toISOString();
  let hop = "-";
  let received: Received;
  try {
    const arrival = await accepting;
    hop = formatAddress(arrival.hop);
    received = await arrival.receive(options);
  } catch (cause) {
    const error = toRefusal(cause, undefined, EMPTY);
    if (error.code !== "aborted") await show({ time, hop, error });
    return;
  }
  const { info, conn } = received;
  try {
    await show({ time, hop, ...(info && { info }) }, conn);
  } finally {
    conn.close();
  }
}

/** Answers a request of HTTP/1, whatever it is. */
async function answer(conn: ByteConn, text: string): Promise<void> {
  // It is read in a terminal as well.
  const body = new TextEncoder().encode(printable(text));
  const head = new TextEncoder().encode(
    `HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n`,
  );
  try {
    await writeAll(conn, head);
    await writeAll(conn, body);
  } catch {
    // The peer has gone; what it sent has been shown.
  }
}

/** Ends the sending direction and reads the remaining bytes. */
async function drain(conn: ByteConn): Promise<void> {
  const timer = setTimeout(() => conn.close(), DRAIN_TIME);
  try {
    await conn.closeWrite();
    const buffer = new Uint8Array(65536);
    while (await conn.read(buffer) !== null);
  } catch {
    // Closed by the peer, or by the timer.
  } finally {
    clearTimeout(timer);
  }
}
