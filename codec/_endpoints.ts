import { type Block, newBlock } from "./_block.ts";
import { readIp, readIpv4 } from "./_parse_ip.ts";
import { either } from "./_options.ts";
import { quote } from "./_quote.ts";
import { encodeText } from "./_text.ts";
import {
  COMMAND_AT,
  COMMANDS,
  FAMILIES,
  FAMILY_AT,
  FIXED_LENGTH,
  LARGEST_PORT,
  LOCAL_BYTE,
  PORTS_LENGTH,
  PROXY_BYTE,
  SIGNATURE,
  TRANSPORTS,
  UNIX_PATH_LENGTH,
} from "./_wire.ts";
import type { Address, Family, ProxyHeader } from "./types.ts";

/** Halves of the family and transport byte (section 2.2). */
const INET = FAMILIES.indexOf("INET") << 4;
const INET6 = FAMILIES.indexOf("INET6") << 4;
const UNIX = FAMILIES.indexOf("UNIX") << 4;
const STREAM = TRANSPORTS.indexOf("STREAM");
const DGRAM = TRANSPORTS.indexOf("DGRAM");

/** Room for a v2 header, signature written. */
export function newHead(length: number): Block {
  const head = newBlock(length);
  head.bytes.set(SIGNATURE);
  return head;
}

/** Fields of any address, as a caller without types may give them. */
interface Loose {
  transport?: string;
  path?: string | undefined;
  hostname?: string | undefined;
  port?: number | undefined;
}

/**
 * Reads what a header says of the connection, and writes it to `head` as v2 has
 * it: command, family, address block. Returns its length in bytes.
 *
 * @throws {TypeError} for fields of a wrong kind or that contradict each other.
 * @throws {RangeError} for a port or a path out of range.
 */
export function readEndpoints(
  header: ProxyHeader,
  { bytes: head, view }: Block,
): number {
  const { source, destination } = header;
  const hasAddresses = source !== undefined || destination !== undefined;
  const command = header.command ?? (hasAddresses ? "PROXY" : "LOCAL");
  if (command !== "PROXY") {
    nibble("command", command, COMMANDS);
    head[COMMAND_AT] = LOCAL_BYTE;
    head[FAMILY_AT] = 0;
    return FIXED_LENGTH;
  }
  const { family: toldFamily, transport: toldTransport } = header;
  const familyNibble = toldFamily === undefined
    ? 0
    : nibble("family", toldFamily, FAMILIES);
  const transportNibble = toldTransport === undefined
    ? 0
    : nibble("transport", toldTransport, TRANSPORTS);
  const isUnspec = toldFamily === "UNSPEC" || toldTransport === "UNSPEC";
  const isBare = toldFamily === undefined && toldTransport === undefined &&
    !hasAddresses;
  if (isUnspec || isBare) {
    head[COMMAND_AT] = PROXY_BYTE;
    // Receivers reject a family without its addresses, so none is written.
    head[FAMILY_AT] = familyNibble === 0 ? transportNibble : 0;
    return FIXED_LENGTH;
  }
  const from: Loose = given("source", source);
  const to: Loose = given("destination", destination);
  const { transport: carrier, path, hostname, port } = from;
  const { transport: toCarrier, path: toPath, hostname: toHostname } = to;
  const { port: toPort } = to;
  // Not before all is read: a getter may encode another header into `head`.
  head[COMMAND_AT] = PROXY_BYTE;
  const transport = transportOf("source", carrier);
  if (toCarrier !== carrier) {
    transportOf("destination", toCarrier); // an unknown one is reported as such
    refuse("destination.transport", `${toCarrier} does not go with ${carrier}`);
  }
  if (toldTransport !== undefined && transportNibble !== transport) {
    refuse("transport", `${toldTransport} does not go with ${carrier}`);
  }
  if (carrier === "unix" || carrier === "unixpacket") {
    checkTold(toldFamily, "UNIX", false);
    writePath("source", path, head, FIXED_LENGTH);
    writePath("destination", toPath, head, FIXED_LENGTH + UNIX_PATH_LENGTH);
    head[FAMILY_AT] = UNIX | transport;
    return FIXED_LENGTH + 2 * UNIX_PATH_LENGTH;
  }
  let end = FIXED_LENGTH + 2 * 4;
  const isInet = toldFamily !== "INET6" &&
    isIpv4(hostname, head, FIXED_LENGTH) &&
    isIpv4Again(toHostname, head, FIXED_LENGTH + 4);
  if (isInet) {
    checkTold(toldFamily, "INET", false);
  } else {
    end = FIXED_LENGTH + 2 * 16;
    const second = FIXED_LENGTH + 16;
    const length = readHost("source", hostname, head, FIXED_LENGTH);
    const toLength = readHost("destination", toHostname, head, second);
    checkTold(toldFamily, "INET6", length !== toLength);
    if (length === 4) map(head, FIXED_LENGTH);
    if (toLength === 4) map(head, second);
  }
  writePort("source", port, view, end);
  writePort("destination", toPort, view, end + 2);
  head[FAMILY_AT] = (isInet ? INET : INET6) | transport;
  return end + PORTS_LENGTH;
}

/** Mixed families are INET6, whichever of the two the header names. */
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

function transportOf(field: string, carrier: string | undefined): number {
  switch (carrier) {
    case "tcp":
    case "unix":
      return STREAM;
    case "udp":
    case "unixpacket":
      return DGRAM;
    default:
      refuse(
        `${field}.transport`,
        `expected "tcp", "udp", "unix" or "unixpacket", received ${
          quote(carrier)
        }`,
      );
  }
}

/** Reads an IPv4 address into `head`, unless it is something else. */
function isIpv4(
  hostname: string | undefined,
  head: Uint8Array,
  at: number,
): boolean {
  return typeof hostname === "string" && readIpv4(hostname, head, at);
}

/**
 * The destination before, nearly always the same: the address of the proxy itself.
 * To compare it saves a quarter of `encodeInto`.
 */
let lastText: string | undefined = "0.0.0.0";
const lastOctets = new Uint8Array(4);

/** Does what {@link isIpv4} does, for an address that is mostly the one before. */
function isIpv4Again(
  hostname: string | undefined,
  head: Uint8Array,
  at: number,
): boolean {
  if (hostname !== lastText) {
    if (!isIpv4(hostname, lastOctets, 0)) return false;
    lastText = hostname;
  }
  for (let i = 0; i < 4; i++) head[at + i] = lastOctets[i]!;
  return true;
}

function readHost(
  field: string,
  hostname: string | undefined,
  head: Uint8Array,
  at: number,
): 4 | 16 {
  const length = readIp(hostname, head, at);
  if (length === 0) {
    refuse(
      `${field}.hostname`,
      `expected an IP address, received ${quote(hostname)}`,
    );
  }
  return length;
}

/** An IPv4 address at `at` becomes a mapped one. */
function map(head: Uint8Array, at: number): void {
  head.copyWithin(at + 12, at, at + 4);
  head.fill(0, at, at + 10);
  head.fill(0xff, at + 10, at + 12);
}

function writePort(
  field: string,
  port: number | undefined,
  view: DataView,
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
  view.setUint16(at, port);
}

/** A NUL ends a path on the wire, so only an abstract one may have it, in front. */
function writePath(
  end: string,
  path: string | undefined,
  head: Uint8Array,
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
  head.fill(0, at, at + UNIX_PATH_LENGTH);
  head.set(bytes, at);
}

function checkPathLength(field: string, length: number): void {
  if (length <= UNIX_PATH_LENGTH) return;
  throw new RangeError(
    `Cannot encode ${field}: expected at most ${UNIX_PATH_LENGTH} bytes, received ${length}`,
  );
}

function nibble(
  field: string,
  value: string,
  names: readonly string[],
): number {
  const found = names.indexOf(value);
  if (found < 0) {
    refuse(field, `expected ${either(names)}, received ${quote(value)}`);
  }
  return found;
}

function refuse(field: string, what: string): never {
  throw new TypeError(`Cannot encode ${field}: ${what}`);
}
