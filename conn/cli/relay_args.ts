/** Arguments of `relay`. */

import { quote, suggestion } from "../../codec/internal.ts";
import { readOptions } from "../admission/policy.ts";
import { readRelayOptions } from "../sending/read_options.ts";
import type { RelayOptions } from "../sending/types.ts";
import type { Untrusted } from "../types.ts";
import {
  asUsage,
  decodeOptions,
  expectNoPositionals,
  LENIENCIES,
  type Options,
  readArgs,
  trustOf,
} from "./args.ts";
import type { LogForm } from "./conn_log.ts";
import {
  type HostPort,
  readHostPort,
  readNumber,
  readWord,
} from "./read_text.ts";
import type { HeaderOptions } from "./runtime.ts";
import type { RunOptions } from "./run_services.ts";
import type { Mapping, ServicesOptions } from "./services.ts";
import { UsageError } from "./usage_error.ts";

/** Longest wait of a timer, in seconds. */
const LONGEST_WAIT = 2_147_483;

const { "mixed-tcp6": mixedTcp6, tlvs, unmap, "max-length": maxLength } =
  LENIENCIES;

/** Options of `relay`. */
export const RELAY_OPTIONS = {
  map: {
    type: "string",
    multiple: true,
    value: "[HOST:]PORT=HOST:PORT",
    help: "listen on the first and relay to the second, repeatable",
  },
  trust: {
    type: "string",
    multiple: true,
    value: "RANGE",
    help: "peers that may send a header, or any; repeatable",
  },
  "trust-file": {
    type: "string",
    value: "FILE",
    help: "a RANGE in each line; read again when it changes and on SIGHUP",
  },
  accept: {
    type: "string",
    value: "v1|v2|any|none|optional",
    help: "header to accept; optional: if there is one (any)",
  },
  untrusted: {
    type: "string",
    multiple: true,
    value: "reject|direct|RANGE",
    help: "other clients to relay without a header; repeatable (reject)",
  },
  send: { type: "string", value: "v1|v2", help: "the header to write (none)" },
  checksum: { type: "boolean", help: "add a CRC32C to the header" },
  keep: {
    type: "string",
    multiple: true,
    value: "NAME",
    help: "pass on only these TLVs, repeatable (all)",
  },
  drop: {
    type: "string",
    multiple: true,
    value: "NAME",
    help: "TLVs not to pass on, repeatable",
  },
  "unique-id": {
    type: "boolean",
    help: "give connections without a UNIQUE_ID one",
  },
  "idle-timeout": {
    type: "string",
    value: "SECONDS",
    help: "close connections without traffic for this long (never)",
  },
  "half-open-timeout": {
    type: "string",
    value: "SECONDS",
    help: "how long one direction may outlive the other (for ever)",
  },
  "max-connections": {
    type: "string",
    value: "NUMBER",
    help: "most connections at once, of each worker (no limit)",
  },
  workers: {
    type: "string",
    value: "NUMBER",
    help: "processes that share the ports (1)",
  },
  "reuse-port": {
    type: "boolean",
    help: "let others listen on the same ports; on Deno: --unstable-net",
  },
  log: {
    type: "string",
    value: "text|json",
    help: "print a line for each connection when it has ended",
  },
  health: {
    type: "string",
    value: "[HOST:]PORT",
    help: "answer HTTP: 200, then 503 while connections end (127.0.0.1)",
  },
  metrics: {
    type: "string",
    value: "[HOST:]PORT",
    help: "answer HTTP with counters for Prometheus (127.0.0.1)",
  },
  stats: {
    type: "string",
    value: "SECONDS",
    help: "print counters as JSON at this interval; 0: only at the end",
  },
  grace: {
    type: "string",
    value: "SECONDS",
    help: "how long connections may stay open after SIGTERM (10)",
  },
  "mixed-tcp6": mixedTcp6,
  tlvs,
  unmap,
  "max-length": maxLength,
  worker: { type: "boolean" },
} as const satisfies Options;

/** Options that need a header to be written. */
const HEADER_OPTIONS = ["checksum", "keep", "drop", "unique-id"] as const;

/** What is to be done. */
export interface RelayArgs {
  /** What to relay, without what a file says. */
  services: Omit<ServicesOptions, "trustFile">;
  /** How to watch it. */
  running: RunOptions;
  /** The file of `--trust-file`. */
  file: string | undefined;
  /** The form of the log; `undefined` for none. */
  form: LogForm | undefined;
  /** How many processes. */
  workers: number;
  /** Whether this is one of them. */
  isWorker: boolean;
}

/** Values of {@link RELAY_OPTIONS}. */
type Values = ReturnType<typeof readArgs<typeof RELAY_OPTIONS>>["values"];

/** Reads the arguments. */
export function readRelayArgs(args: readonly string[]): RelayArgs {
  const { values, positionals } = readArgs(args, RELAY_OPTIONS);
  expectNoPositionals(positionals);
  const workers = readNumber("--workers", values.workers ?? "1", 1, 1024);
  const maps = readMaps(values.map ?? [], workers);
  const { checksum: _, ...leniencies } = values;
  const listening: HeaderOptions = {
    ...decodeOptions(leniencies),
    ...acceptance(values),
  };
  const relaying = relayOptions(values);
  asUsage(() => {
    readOptions(listening);
    readRelayOptions(relaying);
  });
  const most = values["max-connections"];
  return {
    services: {
      maps,
      listening,
      relaying,
      maxConnections: most === undefined
        ? Infinity
        : readNumber("--max-connections", most, 1, Number.MAX_SAFE_INTEGER),
      reusePort: values["reuse-port"] === true || workers > 1,
    },
    running: {
      grace: readSeconds("grace", values.grace, 0) ?? 10,
      stats: readSeconds("stats", values.stats, 0),
      health: readPage("--health", values.health),
      metrics: readPage("--metrics", values.metrics),
    },
    file: values["trust-file"],
    form: values.log === undefined
      ? undefined
      : readWord("--log", values.log, ["text", "json"]),
    workers,
    isWorker: values.worker === true,
  };
}

function readMaps(texts: readonly string[], workers: number): Mapping[] {
  const maps = texts.map(readMap);
  if (maps.length === 0) {
    throw new UsageError("Cannot relay: at least one --map is required");
  }
  if (workers > 1 && maps.some(({ from }) => from.port === 0)) {
    throw new UsageError(
      "Cannot relay: workers share a port, so that of a --map must not be 0",
    );
  }
  return maps;
}

/** How connections are passed on. */
function relayOptions(values: Values): RelayOptions {
  const idle = values.send === undefined &&
    HEADER_OPTIONS.find((name) => values[name] !== undefined);
  if (idle) {
    throw new UsageError(`Cannot relay: --${idle} does nothing without --send`);
  }
  const { send, keep, drop, checksum } = values;
  const idleTime = readSeconds("idle-timeout", values["idle-timeout"], 1);
  const halfOpenTime = readSeconds(
    "half-open-timeout",
    values["half-open-timeout"],
    0,
  );
  return {
    ...(send !== undefined && {
      send: readWord("--send", send, ["v1", "v2"]) === "v1" ? 1 : 2,
    }),
    ...(checksum && { checksum }),
    ...(keep && { keep }),
    ...(drop && { drop }),
    ...(values["unique-id"] && { uniqueId: true }),
    ...(idleTime !== undefined && { idleTimeout: idleTime * 1000 }),
    ...(halfOpenTime !== undefined && { halfOpenTimeout: halfOpenTime * 1000 }),
  };
}

/** Returns the address of a page. Without a host, only this machine can read it. */
function readPage(
  name: string,
  text: string | undefined,
): HostPort | undefined {
  return text === undefined ? undefined : readHostPort(name, text, "127.0.0.1");
}

function readSeconds(
  name: string,
  text: string | undefined,
  least: number,
): number | undefined {
  return text === undefined
    ? undefined
    : readNumber(`--${name}`, text, least, LONGEST_WAIT);
}

function readMap(text: string): Mapping {
  const [from = "", to = "", ...more] = text.split("=");
  if (to === "" || more.length > 0) {
    throw new UsageError(
      `Cannot read --map: expected [HOST:]PORT=HOST:PORT, received ${
        quote(text)
      }`,
    );
  }
  return {
    from: readHostPort("--map", from, "0.0.0.0"),
    to: readHostPort("--map", to),
  };
}

/** Values of `--untrusted`, of which each word is for everybody. */
function untrustedOf(values: readonly string[]): Untrusted {
  const [value = ""] = values;
  const words = ["reject", "direct"] as const;
  const isWord = values.length === 1 && suggestion(value, words) !== "";
  return isWord ? readWord("--untrusted", value, words) : values;
}

/** Returns the peers that may send a header, and the accepted headers. */
function acceptance(
  values: Values,
): Pick<HeaderOptions, "trust" | "untrusted" | "header" | "versions"> {
  const { trust, "trust-file": file, untrusted } = values;
  const accept = readWord("--accept", values.accept ?? "any", [
    "v1",
    "v2",
    "any",
    "none",
    "optional",
  ]);
  if (accept === "none") {
    if ([trust, file, untrusted].every((value) => value === undefined)) {
      return { trust: "none", untrusted: "direct" };
    }
    throw new UsageError(
      "Cannot relay: --accept none trusts nobody, --trust, --trust-file and --untrusted do not go with it",
    );
  }
  if (file !== undefined && trust?.includes("any")) {
    throw new UsageError(
      "Cannot relay: --trust any trusts everybody, --trust-file does not go with it",
    );
  }
  if (trust === undefined && file === undefined) {
    throw new UsageError(
      "Cannot relay: --trust is required, the addresses or ranges that may send a header",
    );
  }
  return {
    trust: trustOf(trust ?? []),
    ...(untrusted !== undefined && { untrusted: untrustedOf(untrusted) }),
    ...(accept === "optional" && { header: "optional" }),
    ...(accept === "v1" && { versions: [1] }),
    ...(accept === "v2" && { versions: [2] }),
  };
}
