import { readIp } from "./_parse_ip.ts";
import { quote } from "./_quote.ts";
import { encodeText } from "./_text.ts";
import {
  BLOCK_LENGTHS,
  COMMANDS,
  FAMILIES,
  LARGEST_PORT,
  LOCAL_BYTE,
  PROXY_BYTE,
  TRANSPORTS,
  UNIX_PATH_LENGTH,
  writeUint16,
} from "./_wire.ts";
import type { Address, Family, ProxyHeader, Transport } from "./types.ts";

/** What a header says of the connection, checked: byte 13 and 14, and its address block. */
export interface Endpoints {
  commandByte: number;
  familyByte: number;
  /** Bytes of the address block. */
  blockLength: number;
}

/** Family and transport byte of IP addresses. */
const INET = FAMILIES.indexOf("INET") << 4;
const INET6 = FAMILIES.indexOf("INET6") << 4;
const UNIX = FAMILIES.indexOf("UNIX") << 4;

/** Room for any address block. */
export const LONGEST_BLOCK: number = 2 * UNIX_PATH_LENGTH;

/** Fields of any address, as a caller without types may give them. */
interface Loose {
  transport?: string;
  path?: string;
  hostname?: string;
  port?: number;
}

/**
 * Reads the ends of a header that is to be encoded, and writes their address
 * block at the start of `block`.
 *
 * @throws {TypeError} for fields of a wrong kind or that contradict each other.
 * @throws {RangeError} for a port or a path out of range.
 */
export function readEndpoints(
  header: ProxyHeader,
  block: Uint8Array,
): Endpoints {
  const { source, destination } = header;
  const hasAddresses = source !== undefined || destination !== undefined;
  const command = header.command ?? (hasAddresses ? "PROXY" : "LOCAL");
  if (nibble("command", command, COMMANDS) === 0) {
    return { commandByte: LOCAL_BYTE, familyByte: 0, blockLength: 0 };
  }
  const { family: toldFamily, transport: toldTransport } = header;
  const familyNibble = nibble("family", toldFamily ?? "UNSPEC", FAMILIES);
  const transportNibble = nibble(
    "transport",
    toldTransport ?? "UNSPEC",
    TRANSPORTS,
  );
  const isUnspec = toldFamily === "UNSPEC" || toldTransport === "UNSPEC";
  const isBare = toldFamily === undefined && toldTransport === undefined &&
    !hasAddresses;
  if (isUnspec || isBare) {
    const familyByte = familyNibble << 4 | transportNibble;
    return { commandByte: PROXY_BYTE, familyByte, blockLength: 0 };
  }
  const from: Loose = given("source", source);
  const to: Loose = given("destination", destination);
  const { transport: carrier, path, hostname, port } = from;
  const { transport: toCarrier, path: toPath, hostname: toHostname } = to;
  const { port: toPort } = to;
  const transport = transportOf("source", carrier);
  if (transport !== transportOf("destination", toCarrier)) {
    refuse("destination.transport", `does not go with ${carrier}`);
  }
  if (toldTransport !== undefined && toldTransport !== transport) {
    refuse("transport", `${toldTransport} does not go with ${carrier}`);
  }
  const isUnix = carrier === "unix" || carrier === "unixpacket";
  let family = UNIX;
  if (isUnix !== (toCarrier === "unix" || toCarrier === "unixpacket")) {
    refuse("destination.transport", "is of another family than the source");
  } else if (isUnix) {
    checkTold(toldFamily, "UNIX", false);
    writePath("source", path, block, 0);
    writePath("destination", toPath, block, UNIX_PATH_LENGTH);
  } else {
    const length = readHost("source", hostname, block, 0);
    const toLength = readHost("destination", toHostname, block, 16);
    const isInet = length === 4 && toLength === 4 && toldFamily !== "INET6";
    checkTold(toldFamily, isInet ? "INET" : "INET6", length !== toLength);
    family = isInet ? INET : INET6;
    if (isInet) {
      block.copyWithin(4, 16, 20);
    } else {
      if (length === 4) map(block, 0);
      if (toLength === 4) map(block, 16);
    }
    const ports = isInet ? 2 * 4 : 2 * 16;
    writePort("source", port, block, ports);
    writePort("destination", toPort, block, ports + 2);
  }
  const familyByte = family | TRANSPORTS.indexOf(transport);
  const blockLength = BLOCK_LENGTHS[familyByte] ?? 0;
  return { commandByte: PROXY_BYTE, familyByte, blockLength };
}

/** Mixed families are INET6, whatever of the two is told. */
function checkTold(
  told: Family | undefined,
  family: Family,
  isMixed: boolean,
): void {
  const fits = told === undefined || told === family ||
    (isMixed && told === "INET");
  if (!fits) refuse("family", `${told} does not go with ${family} addresses`);
}

function given(field: string, address: Address | undefined): Address {
  if (address === undefined || address === null) refuse(field, "missing");
  return address;
}

function transportOf(field: string, carrier: string | undefined): Transport {
  switch (carrier) {
    case "tcp":
    case "unix":
      return "STREAM";
    case "udp":
    case "unixpacket":
      return "DGRAM";
    default:
      refuse(`${field}.transport`, `unknown ${quote(carrier)}`);
  }
}

function readHost(
  field: string,
  hostname: string | undefined,
  block: Uint8Array,
  at: number,
): 4 | 16 {
  const length = readIp(hostname, block, at);
  if (length === 0) {
    refuse(
      `${field}.hostname`,
      `expected an IP address, received ${quote(hostname)}`,
    );
  }
  return length;
}

/** An IPv4 address at `at` becomes a mapped one. */
function map(block: Uint8Array, at: number): void {
  block.copyWithin(at + 12, at, at + 4);
  block.fill(0, at, at + 10);
  block.fill(0xff, at + 10, at + 12);
}

function writePort(
  field: string,
  port: number | undefined,
  block: Uint8Array,
  at: number,
): void {
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
  writeUint16(block, at, port);
}

/** A NUL ends a path on the wire, so only an abstract one may have it, in front. */
function writePath(
  end: string,
  path: string | undefined,
  block: Uint8Array,
  at: number,
): void {
  const field = `${end}.path`;
  if (typeof path !== "string") {
    refuse(field, `expected a string, received ${quote(path)}`);
  }
  checkPathLength(field, path.length);
  const bytes = encodeText(path);
  if (bytes === undefined) refuse(field, "lone surrogate");
  checkPathLength(field, bytes.length);
  if (bytes.indexOf(0, 1) >= 0) refuse(field, "NUL behind the first byte");
  block.fill(0, at, at + UNIX_PATH_LENGTH);
  block.set(bytes, at);
}

function checkPathLength(field: string, length: number): void {
  if (length <= UNIX_PATH_LENGTH) return;
  throw new RangeError(
    `Cannot encode ${field}: takes at most ${UNIX_PATH_LENGTH} bytes, received ${length}`,
  );
}

function nibble(
  field: string,
  value: string,
  names: readonly string[],
): number {
  const found = names.indexOf(value);
  if (found < 0) refuse(field, `unknown ${quote(value)}`);
  return found;
}

function refuse(field: string, what: string): never {
  throw new TypeError(`Cannot encode ${field}: ${what}`);
}
