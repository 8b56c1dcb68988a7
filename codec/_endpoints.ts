import { quote } from "./_quote.ts";
import { encodeText } from "./_text.ts";
import {
  COMMANDS,
  FAMILIES,
  LARGEST_PORT,
  TRANSPORTS,
  UNIX_PATH_LENGTH,
} from "./_wire.ts";
import { parseIp } from "./_parse_ip.ts";
import type {
  Address,
  Command,
  Family,
  ProxyHeader,
  Transport,
} from "./types.ts";

/** One end, checked: octets or path, and the port where there is one. */
interface Endpoint {
  family: Family;
  transport: Transport;
  host: Uint8Array;
  port: number;
}

/** What a header says of the connection, checked and of one family. */
export interface Endpoints {
  command: Command;
  family: Family;
  transport: Transport;
  /** Absent for LOCAL and UNSPEC. */
  ends?: readonly [Endpoint, Endpoint];
}

/** Fields of any address, as a caller without types may give them. */
interface Loose {
  path?: string;
  hostname?: string;
  port?: number;
}

const TRANSPORT_OF: ReadonlyMap<string, Transport> = new Map([
  ["tcp", "STREAM"],
  ["udp", "DGRAM"],
  ["unix", "STREAM"],
  ["unixpacket", "DGRAM"],
]);

/**
 * Reads the ends of a header that is to be encoded.
 *
 * @throws {TypeError} for fields of a wrong kind or that contradict each other.
 * @throws {RangeError} for a port or a path out of range.
 */
export function endpointsOf(header: ProxyHeader): Endpoints {
  const { source, destination } = header;
  const hasAddresses = source !== undefined || destination !== undefined;
  const command = header.command ?? (hasAddresses ? "PROXY" : "LOCAL");
  checkName("command", command, COMMANDS);
  if (command === "LOCAL") {
    return { command, family: "UNSPEC", transport: "UNSPEC" };
  }
  const { family: toldFamily, transport: toldTransport } = header;
  if (toldFamily !== undefined) checkName("family", toldFamily, FAMILIES);
  if (toldTransport !== undefined) {
    checkName("transport", toldTransport, TRANSPORTS);
  }
  const isUnspec = toldFamily === "UNSPEC" || toldTransport === "UNSPEC";
  const isBare = toldFamily === undefined && toldTransport === undefined &&
    !hasAddresses;
  if (isUnspec || isBare) {
    return {
      command,
      family: toldFamily ?? "UNSPEC",
      transport: toldTransport ?? "UNSPEC",
    };
  }
  const from = readEnd("source", source);
  const to = readEnd("destination", destination);
  if (from.transport !== to.transport) {
    refuse("destination.transport", `does not go with ${source?.transport}`);
  }
  if (toldTransport !== undefined && toldTransport !== from.transport) {
    refuse(
      "transport",
      `${toldTransport} does not go with ${source?.transport}`,
    );
  }
  const family = commonFamily(from.family, to.family, toldFamily);
  if (family === "INET6") {
    from.host = mapped(from.host);
    to.host = mapped(to.host);
  }
  return { command, family, transport: from.transport, ends: [from, to] };
}

/** The one family of both ends: IPv4 beside IPv6, or told to be INET6, is mapped. */
function commonFamily(
  source: Family,
  destination: Family,
  told: Family | undefined,
): Family {
  const isUnix = source === "UNIX";
  if (isUnix !== (destination === "UNIX")) {
    refuse("destination.transport", "is of another family than the source");
  }
  const isMixed = source !== destination;
  const family = isMixed || told === "INET6" && !isUnix ? "INET6" : source;
  const fits = told === undefined || told === family ||
    (isMixed && told === "INET");
  if (!fits) refuse("family", `${told} does not go with ${family} addresses`);
  return family;
}

function readEnd(field: string, address: Address | undefined): Endpoint {
  if (address === undefined || address === null) refuse(field, "missing");
  const { path, hostname, port }: Loose = address;
  const transport = TRANSPORT_OF.get(address.transport);
  if (transport === undefined) {
    refuse(`${field}.transport`, `unknown ${quote(address.transport)}`);
  }
  if (address.transport === "unix" || address.transport === "unixpacket") {
    return {
      family: "UNIX",
      transport,
      host: readPath(`${field}.path`, path),
      port: 0,
    };
  }
  const host = parseIp(hostname);
  if (host === undefined) {
    refuse(
      `${field}.hostname`,
      `expected an IP address, received ${quote(hostname)}`,
    );
  }
  if (typeof port !== "number") {
    refuse(`${field}.port`, `expected a number, received ${quote(port)}`);
  }
  if (!Number.isInteger(port) || port < 0 || port > LARGEST_PORT) {
    throw new RangeError(
      `Cannot encode ${field}.port: must be 0 to ${LARGEST_PORT}, received ${
        quote(port)
      }`,
    );
  }
  return {
    family: host.length === 4 ? "INET" : "INET6",
    transport,
    host,
    port,
  };
}

/** A NUL ends a path on the wire, so only an abstract one may have it, in front. */
function readPath(field: string, path: string | undefined): Uint8Array {
  if (typeof path !== "string") {
    refuse(field, `expected a string, received ${quote(path)}`);
  }
  checkPathLength(field, path.length);
  const bytes = encodeText(path);
  if (bytes === undefined) refuse(field, "lone surrogate");
  checkPathLength(field, bytes.length);
  if (bytes.indexOf(0, 1) >= 0) refuse(field, "NUL behind the first byte");
  return bytes;
}

function checkPathLength(field: string, length: number): void {
  if (length <= UNIX_PATH_LENGTH) return;
  throw new RangeError(
    `Cannot encode ${field}: takes at most ${UNIX_PATH_LENGTH} bytes, received ${length}`,
  );
}

function mapped(octets: Uint8Array): Uint8Array {
  if (octets.length === 16) return octets;
  return Uint8Array.of(
    ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff],
    ...octets,
  );
}

function checkName(
  field: string,
  value: string,
  names: readonly string[],
): void {
  if (!names.includes(value)) refuse(field, `unknown ${quote(value)}`);
}

function refuse(field: string, what: string): never {
  throw new TypeError(`Cannot encode ${field}: ${what}`);
}
