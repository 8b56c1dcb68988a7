import { quote, suggestion } from "../../codec/internal.ts";
import { readOptions } from "../admission/policy.ts";
import { readRelayOptions } from "../sending/read_options.ts";
import type { RelayOptions } from "../relay.ts";
import type { ListenerOptions, Untrusted } from "../types.ts";
import {
  asUsage,
  decodeOptions,
  expectNoPositionals,
  LENIENCIES,
  type Options,
  readArgs,
  trustOf,
} from "./args.ts";
import { readHostPort, readNumber, readWord } from "./read_text.ts";
import { UsageError } from "./usage_error.ts";
import type { Command } from "./command.ts";
import { type Mapping, runServices } from "./services.ts";

/** Longest wait in seconds that a timer takes. */
const LONGEST_WAIT = 2_147_483;

const { "mixed-tcp6": mixedTcp6, tlvs, unmap, "max-length": maxLength } =
  LENIENCIES;

const OPTIONS = {
  map: {
    type: "string",
    multiple: true,
    value: "[HOST:]PORT=HOST:PORT",
    help: "listen there and relay to that, repeatable",
  },
  trust: {
    type: "string",
    multiple: true,
    value: "RANGE",
    help: "who may send a header, or any for everybody; repeatable",
  },
  accept: {
    type: "string",
    value: "v1|v2|any|none|optional",
    help: "header to take; optional: if there is one (any)",
  },
  untrusted: {
    type: "string",
    multiple: true,
    value: "reject|direct|RANGE",
    help: "who else is relayed, without a header; repeatable (reject)",
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
  stats: {
    type: "string",
    value: "SECONDS",
    help: "print counters as JSON so often and at the end; 0: at the end",
  },
  grace: {
    type: "string",
    value: "SECONDS",
    help: "how long open connections may take to end after SIGTERM (10)",
  },
  "mixed-tcp6": mixedTcp6,
  tlvs,
  unmap,
  "max-length": maxLength,
} as const satisfies Options;

/** What only a header that is written can have. */
const HEADER_OPTIONS = ["checksum", "keep", "drop", "unique-id"] as const;

/** Passes connections on. */
export const RELAY: Command = {
  usage: "--map [HOST:]PORT=HOST:PORT --trust RANGE [OPTION...]",
  summary:
    "Takes headers off connections, or puts them on, and relays to other servers.",
  notes:
    `Each --map is a port to listen on and its service. With --send the service is
told who the client is, with the TLVs that came; without it it gets the bytes
behind the header. --accept none expects no header and needs no --trust: the
first proxy of a chain. With --accept optional a client that comes through a
trusted peer without a header can forge one.

A RANGE is an address, a CIDR range, loopback or private. --untrusted direct
relays everybody else without a header, --untrusted RANGE only these clients.

Refused connections and failures are lines on standard error. --stats prints
for each port: accepted (direct without a header, local), rejected by reason,
pending, active, failed, and the bytes of connections that have ended.

SIGTERM and SIGINT stop listening; what is open may end within --grace, then it
is closed, and the exit code is 0. A second signal ends at once.`,
  options: OPTIONS,
  permissions: "--allow-net",
  examples: [
    "--map 15222=127.0.0.1:5222 --map 15269=127.0.0.1:5269 --trust 10.0.0.0/8",
    "--map 8443=10.0.0.9:443 --trust 10.0.0.0/8 --send v2 --checksum --drop xEA",
    "--map 25=10.0.0.9:10025 --accept none --send v1",
  ],
  async run(args, io) {
    const { values, positionals } = readArgs(args, OPTIONS);
    expectNoPositionals(positionals);
    const maps = (values.map ?? []).map(readMap);
    if (maps.length === 0) {
      throw new UsageError("Cannot relay: at least one --map is required");
    }
    const { checksum, ...leniencies } = values;
    const idle = values.send === undefined &&
      HEADER_OPTIONS.find((name) => values[name] !== undefined);
    if (idle) {
      throw new UsageError(
        `Cannot relay: --${idle} does nothing without --send`,
      );
    }
    const listening: ListenerOptions = {
      ...decodeOptions(leniencies),
      ...acceptance(values),
    };
    const { send, keep, drop } = values;
    const relaying: RelayOptions = {
      ...(send !== undefined && {
        send: readWord("--send", send, ["v1", "v2"]) === "v1" ? 1 : 2,
      }),
      ...(checksum && { checksum }),
      ...(keep && { keep }),
      ...(drop && { drop }),
      ...(values["unique-id"] && { uniqueId: true }),
    };
    asUsage(() => {
      readOptions(listening);
      readRelayOptions(relaying);
    });
    const seconds = (name: "stats" | "grace", text: string) =>
      readNumber(`--${name}`, text, 0, LONGEST_WAIT);
    const grace = seconds("grace", values.grace ?? "10");
    const stats = values.stats === undefined
      ? undefined
      : seconds("stats", values.stats);
    await runServices(io, maps, { listening, relaying, grace, stats });
    return 0;
  },
};

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

/** Whom to take a header from, and which. */
function acceptance(
  values: {
    accept?: string | undefined;
    trust?: string[] | undefined;
    untrusted?: string[] | undefined;
  },
): Pick<ListenerOptions, "trust" | "untrusted" | "header" | "versions"> {
  const { trust, untrusted } = values;
  const accept = readWord("--accept", values.accept ?? "any", [
    "v1",
    "v2",
    "any",
    "none",
    "optional",
  ]);
  if (accept === "none") {
    if (trust === undefined && untrusted === undefined) {
      return { trust: "none", untrusted: "direct" };
    }
    throw new UsageError(
      "Cannot relay: --accept none trusts nobody, --trust and --untrusted do not go with it",
    );
  }
  if (trust === undefined) {
    throw new UsageError(
      "Cannot relay: --trust is required, the addresses or ranges that may send a header",
    );
  }
  return {
    trust: trustOf(trust),
    ...(untrusted !== undefined && { untrusted: untrustedOf(untrusted) }),
    ...(accept === "optional" && { header: "optional" }),
    ...(accept === "v1" && { versions: [1] }),
    ...(accept === "v2" && { versions: [2] }),
  };
}
