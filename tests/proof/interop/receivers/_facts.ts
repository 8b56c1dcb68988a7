/**
 * What a server says of a header, as one line of text.
 *
 * @module
 */

import { type Facts, type Field, FIELDS } from "./_receiver.ts";

/** What a server answered. */
export interface Reply {
  /** The answer; empty when it closed or reset. */
  text: string;
  /** The port of our end, which is what a server shows without a header. */
  port: number;
}

/** What servers write for what is not there: haproxy, squid and Varnish. */
const NOTHING = ["-", "(null)"];

/** Reads what is said as `src=… sport=…`, one word for each field. */
export function readFacts(text: string): Facts {
  const facts: Facts = {};
  for (const field of FIELDS) {
    const value = new RegExp(`\\b${field}=([^\\s,;"<]*)`).exec(text)?.[1];
    if (value && !NOTHING.includes(value)) facts[field] = value;
  }
  return facts;
}

/** What a reply says, in the form of `Receiving.probe`. */
export function outcomeOf(facts: Facts, port: number): string {
  const { src, sport } = facts;
  if (src === undefined) return "refused";
  const isReal = src === "127.0.0.1" &&
    (sport === undefined || sport === String(port));
  return isReal ? "real" : print(facts);
}

/** Prints those fields that can be told. */
export function print(facts: Facts, tells: readonly Field[] = FIELDS): string {
  const told = (field: Field) =>
    tells.includes(field) ? facts[field] : undefined;
  const words = FIELDS.map((field) => {
    const value = told(field);
    if (value === undefined || field === "sport" || field === "dport") {
      return "";
    }
    if (field === "src") return `src=${endpoint(value, told("sport"))}`;
    if (field === "dst") return `dst=${endpoint(value, told("dport"))}`;
    return `${field}=${value}`;
  });
  return words.filter((word) => word !== "").join(" ");
}

function endpoint(address: string, port: string | undefined): string {
  if (port === undefined) return address;
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}
