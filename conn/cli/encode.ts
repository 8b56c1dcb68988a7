import {
  encode,
  encodeTlvs,
  type ProxyHeader,
  type RawTlv,
  readTlvs,
  TLV_TYPES,
} from "../../codec/mod.ts";
import { LONGEST_HEADER } from "../../codec/internal.ts";
import {
  asUsage,
  expectNoPositionals,
  type Options,
  readArgs,
} from "./args.ts";
import { readHostPort, readNumber, readWord } from "./read_text.ts";
import { UsageError } from "./usage_error.ts";
import type { Command } from "./command.ts";
import { namedTlvs, readAddress, readTlv } from "./header_text.ts";
import { toHex } from "./hex.ts";
import { exchange, type Verdict } from "./exchange.ts";
import { attempt, print, warn } from "./io.ts";

/** Names of the TLVs that have an option, by option; the others are computed. */
const TLV_NAMES: ReadonlyMap<string, string> = new Map(
  [...Object.keys(TLV_TYPES), "SSL_CLIENT", "SSL_VERIFY"]
    .filter((name) => !["CRC32C", "NOOP", "SSL"].includes(name))
    .map((name) => [name.toLowerCase().replaceAll("_", "-"), name]),
);

const OPTIONS = {
  v1: { type: "boolean", help: "the text line" },
  v2: { type: "boolean", help: "the binary header (default)" },
  source: { type: "string", value: "ADDR:PORT", help: "the client" },
  destination: {
    type: "string",
    value: "ADDR:PORT",
    help: "what the client connected to",
  },
  transport: {
    type: "string",
    value: "stream|dgram",
    help: "transport of the client's connection (stream)",
  },
  local: { type: "boolean", help: "LOCAL, the sender's own connection" },
  unknown: {
    type: "boolean",
    help: "UNKNOWN in version 1, PROXY with UNSPEC in version 2",
  },
  alpn: { type: "string", value: "TEXT", help: "protocol in TLS, such as h2" },
  authority: { type: "string", value: "TEXT", help: "host name, the SNI" },
  "unique-id": {
    type: "string",
    value: "TEXT|0xHEX",
    help: "id of the connection",
  },
  netns: { type: "string", value: "TEXT", help: "network namespace" },
  ssl: {
    type: "boolean",
    help: "the client used TLS; implied by the options below",
  },
  "ssl-client": {
    type: "string",
    value: "BITS",
    help: "1 TLS, 2 certificate on this connection, 4 in this session (1)",
  },
  "ssl-verify": {
    type: "string",
    value: "NUMBER",
    help: "0 if the certificate was verified (1)",
  },
  "ssl-version": { type: "string", value: "TEXT", help: "such as TLSv1.3" },
  "ssl-cn": { type: "string", value: "TEXT", help: "name in the certificate" },
  "ssl-cipher": { type: "string", value: "TEXT", help: "cipher" },
  "ssl-sig-alg": {
    type: "string",
    value: "TEXT",
    help: "signature of the frontend's certificate",
  },
  "ssl-key-alg": {
    type: "string",
    value: "TEXT",
    help: "key of the frontend's certificate",
  },
  "ssl-group": { type: "string", value: "TEXT", help: "key exchange group" },
  "ssl-sig-scheme": {
    type: "string",
    value: "TEXT",
    help: "signature scheme of the handshake",
  },
  "ssl-client-cert": {
    type: "string",
    value: "0xHEX",
    help: "certificate of the client in DER",
  },
  tlv: {
    type: "string",
    multiple: true,
    value: "xEA=HEX",
    help: "any TLV, by its type or name, after the others; repeatable",
  },
  checksum: { type: "boolean", help: "add a CRC32C" },
  align: {
    type: "string",
    value: "BYTES",
    help: "pad with NOOP to a multiple of this length",
  },
  raw: { type: "boolean", help: "write the bytes themselves, not hex" },
  connect: {
    type: "string",
    value: "HOST:PORT",
    help: "send the header there, then standard input; print what comes back",
  },
} as const satisfies Options;

/** Behaviour of a server without an answer, and its meaning. */
const UNANSWERED: Readonly<Record<Exclude<Verdict, "answered">, string>> = {
  closed:
    "the server closed the connection, as servers that reject a header do",
  reset: "the server reset the connection, as servers that reject a header do",
  silent: "the server closed the connection only after the end of the input, " +
    "so it accepted the header or waited for more",
};

/** Makes a header. */
export const ENCODE: Command = {
  usage: "[OPTION...]",
  summary:
    "Makes a header: prints it as hex or bytes, or sends it to a server.",
  notes:
    `ADDR:PORT is 192.0.2.1:443, [2001:db8::1]:443 or unix:/run/socket, where an
abstract name begins with @. Without addresses the header is LOCAL. TLVs are
written in the order of the options, those of SSL in one.

With --connect the header is sent in one write, then both directions are copied.
After the end of standard input, the sending direction ends at the first byte of
an answer, or after a second. The answer is still printed. On a terminal its
control characters are escaped.

Exit code 0: the server answered, even with an error, or closed the connection
only after the end of the input.
Exit code 1: the connection failed, or the server closed or reset it without an
answer, as servers that reject a header do.
Exit code 2: no receiver would accept the header.`,
  options: OPTIONS,
  permissions: "none; --allow-net for --connect",
  examples: [
    "--source 192.0.2.1:56324 --destination 198.51.100.1:443 --alpn h2 --checksum",
    "--v1 --source '[2001:db8::1]:56324' --destination '[2001:db8::2]:443' --raw",
    "--source 192.0.2.1:1024 --destination 192.0.2.9:25 --connect 127.0.0.1:25",
  ],
  async run(args, io) {
    const { values, positionals, tokens } = readArgs(args, OPTIONS);
    expectNoPositionals(positionals);
    const named = tokens.flatMap((token) => {
      const name = token.kind === "option" && TLV_NAMES.get(token.name);
      return name ? [{ name, option: token.rawName, value: token.value }] : [];
    });
    const tlvs: RawTlv[] = asUsage(() => [
      ...readTlvs(encodeTlvs(namedTlvs(named, values.ssl))),
      ...(values.tlv ?? []).map(readTlv),
    ]);
    const { connect, checksum, align } = values;
    const hasV2Parts = tlvs.length > 0 || checksum || align !== undefined;
    if (values.v1 && hasV2Parts) {
      throw new UsageError(
        "Cannot encode: version 1 has no TLVs, no checksum and no padding",
      );
    }
    const header = { ...endsOf(values), tlvs };
    const bytes = asUsage(() =>
      encode(header, {
        ...(checksum && { checksum }),
        ...(align !== undefined && {
          align: readNumber("--align", align, 1, LONGEST_HEADER),
        }),
      })
    );
    if (connect !== undefined) {
      const target = readHostPort("--connect", connect);
      const verdict = await attempt(
        `send to ${connect}`,
        () => exchange(io, bytes, target),
      );
      if (verdict === "answered") return 0;
      await warn(io, `No answer from ${connect}: ${UNANSWERED[verdict]}`);
      return verdict === "silent" ? 0 : 1;
    } else if (values.raw) await io.write(bytes);
    else await print(io, toHex(bytes));
    return 0;
  },
};

/** Returns the header of the options, without its TLVs. */
function endsOf(
  values: ReturnType<typeof readArgs<typeof OPTIONS>>["values"],
): ProxyHeader {
  const { source, destination, local, unknown, v1, v2 } = values;
  if (v1 && v2) {
    throw new UsageError("Cannot encode: --v1 and --v2 contradict");
  }
  if (local && unknown) {
    throw new UsageError("Cannot encode: --local and --unknown contradict");
  }
  const transport = readWord("--transport", values.transport ?? "stream", [
    "stream",
    "dgram",
  ]);
  return {
    version: v1 ? 1 : 2,
    ...(local && { command: "LOCAL" }),
    ...(unknown && {
      command: "PROXY",
      family: "UNSPEC",
      transport: "UNSPEC",
    }),
    ...(source !== undefined && {
      source: readAddress("--source", source, transport),
    }),
    ...(destination !== undefined && {
      destination: readAddress("--destination", destination, transport),
    }),
  };
}
