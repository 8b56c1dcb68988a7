import { type ProxyInfo, ProxyProtocolError } from "../../codec/mod.ts";
import type { Waits } from "./waits.ts";

/**
 * Asks the user's own check, bounded by the signal alone, since the header is in.
 *
 * @throws {ProxyProtocolError} code `verify`, unless the answer is `true`; or
 * `aborted`; or what the check itself threw of this kind.
 */
export async function verify(
  info: ProxyInfo,
  ask: () => boolean | Promise<boolean>,
  waits: Waits,
): Promise<void> {
  let cause: unknown;
  try {
    const answer = waits.within(async () => await ask(), undefined, Infinity);
    if (await answer === true) return;
  } catch (error) {
    if (error instanceof ProxyProtocolError) throw error;
    cause = error;
  }
  throw new ProxyProtocolError(
    "Cannot accept the connection: refused by verify",
    "verify",
    { version: info.version, received: info.raw, cause },
  );
}
