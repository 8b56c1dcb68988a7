/** What scenarios expect, from few words. */

import { decode, ProxyProtocolError } from "../../codec/mod.ts";
import type { Facts } from "../codec/_facts.ts";
import { concat, utf8 } from "../_bytes.ts";
import type { Failure, Outcome, Sight } from "./_scenario.ts";
import type { SeenHeader } from "./_seen.ts";
import { farewell } from "./_service.ts";
import { OWN_ERROR } from "./_verdict.ts";

/** What a client on a UNIX socket has. */
export const NO_ADDRESS = "no address";

const REAL = {
  remote: "the client IPv4",
  local: "the server IPv4",
  hop: "the client",
};

/** What is seen of a client without a header. */
export const DIRECT: Sight = { ...REAL, header: "none" };

/** What is seen of a client with a header; `isIgnored` keeps the real ends. */
export function behind(facts: Facts, isIgnored = false): Sight {
  const { source, destination } = facts;
  const header = describe({ ...facts, tlvs: Object.keys(facts.tlvs).sort() });
  if (isIgnored || source === undefined || destination === undefined) {
    return { ...REAL, header };
  }
  return { ...REAL, remote: endOf(source), local: endOf(destination), header };
}

/** A header in words. */
export function describe(
  { version, command, family, transport, source, tlvs }: SeenHeader,
): string {
  const from = source === undefined
    ? "nobody"
    : "path" in source
    ? JSON.stringify(source.path)
    : `${source.hostname} ${source.port}`;
  const words = [`v${version}`, command, family, transport, "from", from];
  return [...words, ...tlvs].join(" ");
}

function endOf(address: NonNullable<Facts["source"]>): string {
  if ("path" in address) return NO_ADDRESS;
  const { hostname, port } = address;
  return `${hostname} ${port} ${hostname.includes(":") ? "IPv6" : "IPv4"}`;
}

/** A client that is served: its payload comes back, then the farewell. */
export function served(sight: Sight, payload: Uint8Array = PAYLOAD): Outcome {
  const received = concat([payload, utf8(farewell(payload.length))]);
  return { served: sight, received };
}

/** What most clients send. */
export const PAYLOAD: Uint8Array = utf8("the payload, to the last byte");

/** A client that is refused, and hears nothing. */
export function refused(error: Failure): Outcome {
  return { error };
}

/** What the codec throws for the bytes that have come. */
export function undecodable(received: Uint8Array): Failure {
  try {
    decode(received);
  } catch (error) {
    if (!(error instanceof ProxyProtocolError)) throw error;
    const { code, offset, message } = error;
    return {
      code,
      offset,
      received: error.received.length,
      message: message.replace(": ", " from the client: "),
    };
  }
  throw new Error("The header is valid");
}

/** A failure at the end of what has come. */
function at(
  received: number | "some",
  code: Failure["code"],
  message: string,
): Failure {
  return { code, received, offset: received, message };
}

/** Closed without a byte. */
export const EMPTY: Failure = at(
  0,
  "empty",
  "Cannot read PROXY header from the client: connection closed without a byte",
);

/** Closed within the header. */
export function incomplete(received: number): Failure {
  const message =
    `Cannot read PROXY header from the client: connection closed after ${received} bytes`;
  return at(received, "incomplete", message);
}

/** Reset after its first byte, also when all of the header has come. */
export function io(received: number): Failure {
  return at(
    received,
    "io",
    "Cannot accept the connection from the client: the peer has reset it",
  );
}

/** Not complete at the deadline. */
export function timeout(received: number | "some", ms: number): Failure {
  const message =
    `Cannot read PROXY header from the client: not complete within ${ms} ms`;
  return at(received, "timeout", message);
}

/** Pending when the signal fires, or the listener is closed. */
export function aborted(received: number): Failure {
  return at(
    received,
    "aborted",
    "Cannot accept the connection from the client: aborted",
  );
}

/** Over the bound. */
export function overload(maxPending: number): Failure {
  const message =
    `Cannot accept the connection from the client: it waited longest when more than ${maxPending} were pending`;
  return at(0, "overload", message);
}

/** Not trusted, or that could not be told. */
export function untrusted(reason: string): Failure {
  const message = `Cannot accept a PROXY header from the client: ${reason}`;
  return at(0, "untrusted", message);
}

/** Not trusted. */
export const UNTRUSTED: Failure = untrusted("not trusted");

/** Refused by `verify`, which all of the header is told of. */
export function unverified(received: number): Failure {
  return {
    code: "verify",
    received,
    offset: 0,
    message: "Cannot accept the connection from the client: rejected by verify",
  };
}

/** What `verify` has thrown of this kind is passed on as it is. */
export const OWN: Failure = { ...OWN_ERROR, received: 0 };
