import { ProxyProtocolError } from "../../codec/mod.ts";
import { isPeerGone } from "../admission/refusal.ts";

/**
 * Whether a failure on one side of a relay is passed on to the other side as a
 * reset: an orderly end would say that all has been sent. A target that cannot
 * be reached, a signal and a header that was rejected end both sides in order.
 */
export function isReset(error: unknown, isCopying: boolean): boolean {
  if (error instanceof ProxyProtocolError) return false;
  return isCopying || isPeerGone(error);
}
