/** Functions as `trust` and `untrusted`, by name: services are told by text. */

import type { Address } from "../../codec/mod.ts";
import type { ListenerOptions } from "../../conn/types.ts";

type Options = Partial<Pick<ListenerOptions, "trust" | "untrusted">>;

/** Who is asked, and what the answer is. */
export type Asked =
  | "trust throws"
  | "trust promises"
  | "untrusted says direct"
  | "untrusted says reject"
  | "untrusted throws"
  | "untrusted promises";

/** What the functions throw, or their promises reject with. */
const FAILURE = "of the user";

function fail(): never {
  throw new Error(FAILURE);
}

/** The answer of code without types; a rejection that nobody hears would end the process. */
function promise(): never {
  return Promise.reject(new Error(FAILURE)) as never;
}

/** Says so of the address of the tests alone. */
function only(answer: "direct" | "reject") {
  const other = answer === "direct" ? "reject" : "direct";
  return (hop: Address) =>
    "hostname" in hop && hop.hostname === "127.0.0.1" ? answer : other;
}

const OPTIONS: Readonly<Record<Asked, Options>> = {
  "trust throws": { trust: fail },
  "trust promises": { trust: promise },
  "untrusted says direct": { trust: [], untrusted: only("direct") },
  "untrusted says reject": { trust: [], untrusted: only("reject") },
  "untrusted throws": { trust: [], untrusted: fail },
  "untrusted promises": { trust: [], untrusted: promise },
};

/** The options with these functions. */
export function askedOptions(asked: Asked | undefined): Options {
  return asked === undefined ? {} : OPTIONS[asked];
}
