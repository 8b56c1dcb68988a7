/** How `verify` answers, by name: services are told by text. */

import { ProxyProtocolError } from "../../codec/mod.ts";

/** An answer of `verify`. */
export type Verdict =
  | "true"
  | "false"
  | "truthy"
  | "throws"
  | "rejects"
  | "throws a ProxyProtocolError";

/** What the last of them throws. */
export const OWN_ERROR = {
  code: "address",
  message: "Not on the list",
  offset: 7,
} as const;

/** Answers. */
export function answer(verdict: string): boolean | Promise<boolean> {
  switch (verdict) {
    case "true":
      return true;
    case "truthy":
      return JSON.parse("1"); // which the types do not let through
    case "throws":
      throw new Error("verify fails");
    case "rejects":
      return Promise.reject(new Error("verify fails"));
    case "throws a ProxyProtocolError": {
      const { message, code, offset } = OWN_ERROR;
      throw new ProxyProtocolError(message, code, { offset });
    }
    default:
      return false;
  }
}
