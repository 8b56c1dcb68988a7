import type { ProxyProtocolError } from "../../codec/mod.ts";

/**
 * Calls an observer of the user's. What it throws, or its promise rejects with,
 * must not end what it observes, and must not vanish: `console.error` is called
 * with it.
 *
 * Not `reportError`, by which a peer that is rejected could end the server.
 * Measured in a callback of a connection: on Deno 2.9 and Bun 1.4 it ends the
 * process with code 1. Node 22 and 24 do not have it. workerd logs nothing.
 */
export async function tell(
  name: string,
  observe: () => unknown,
): Promise<void> {
  try {
    await observe();
  } catch (error) {
    console.error(`${name} has failed:`, error);
  }
}

/**
 * For a listener without `onReject`: says what only its programmer can mend. A
 * function of the options has failed, so that peers are rejected.
 */
export function tellMistake(error: ProxyProtocolError): void {
  const { code, cause } = error;
  if (cause === undefined) return;
  if (code === "untrusted" || code === "verify") console.error(error);
}
