/** Reads values that people type. A wrong value throws a {@link UsageError}. */

import { LARGEST_PORT, quote } from "../../codec/internal.ts";
import { UsageError } from "./usage_error.ts";

/** A whole number in a range, decimal or `0x` and hex. */
export function readNumber(
  name: string,
  text: string,
  least: number,
  most: number,
): number {
  const number = /^(\d+|0x[\da-f]+)$/i.test(text) ? Number(text) : NaN;
  if (number >= least && number <= most) return number;
  throw new UsageError(
    `Cannot read ${name}: must be ${least} to ${most}, received ${quote(text)}`,
  );
}

/** One of some words. */
export function readWord<const W extends string>(
  name: string,
  text: string,
  words: readonly W[],
): W {
  const word = words.find((word) => word === text);
  if (word !== undefined) return word;
  throw new UsageError(
    `Cannot read ${name}: expected ${words.join(" or ")}, received ${
      quote(text)
    }`,
  );
}

/** A host and a port. */
export interface HostPort {
  hostname: string;
  port: number;
}

/** `HOST:PORT`, an IPv6 address in brackets; without a host where one is given. */
export function readHostPort(
  name: string,
  text: string,
  defaultHost?: string,
): HostPort {
  const parts = /^(?:(?:\[([^\]]+)\]|([^:[\]]+)):)?(\d+)$/.exec(text);
  const hostname = parts?.[1] ?? parts?.[2] ?? defaultHost;
  if (parts?.[3] === undefined || hostname === undefined) {
    throw new UsageError(
      `Cannot read ${name}: expected ${
        defaultHost === undefined ? "HOST:PORT" : "[HOST:]PORT"
      } with IPv6 addresses in brackets, received ${quote(text)}`,
    );
  }
  return { hostname, port: readNumber(name, parts[3], 0, LARGEST_PORT) };
}
