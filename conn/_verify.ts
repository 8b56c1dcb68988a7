import { type ProxyInfo, ProxyProtocolError } from "../codec/mod.ts";
import { withinLimits } from "./_deadline.ts";

/**
 * Asks the user's own check, bounded by the signal alone: the header is in.
 *
 * @throws {ProxyProtocolError} code `verify`, unless the answer is `true`; or
 * `aborted`; or what the check itself threw of this kind.
 */
export async function verify(
  info: ProxyInfo,
  ask: () => boolean | Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const limits = { timeout: Infinity, signal };
  let cause: unknown;
  try {
    if (await withinLimits(limits, async () => await ask()) === true) return;
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
