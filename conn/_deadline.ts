import { EMPTY } from "../codec/_wire.ts";
import { ProxyProtocolError } from "../codec/mod.ts";

/** What ends a wait. */
export interface Limits {
  /** In ms; `Infinity` for none. */
  timeout: number;
  signal: AbortSignal | undefined;
  /** What has come until then, for the error. */
  received?: () => Uint8Array;
}

/**
 * Waits for work within limits. What is still under way then goes on unheard,
 * until its connection is closed.
 *
 * @throws {ProxyProtocolError} code `timeout` or `aborted`.
 */
export async function withinLimits<T>(
  { timeout, signal, received }: Limits,
  work: () => Promise<T>,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(abortedError(signal, received?.()));
  if (signal?.aborted) throw abortedError(signal);
  signal?.addEventListener("abort", onAbort);
  const timer = timeout === Infinity
    ? undefined
    : setTimeout(() => reject(timeoutError(timeout, received?.())), timeout);
  try {
    return await Promise.race([work(), promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

function timeoutError(
  timeout: number,
  received: Uint8Array = EMPTY,
): ProxyProtocolError {
  return new ProxyProtocolError(
    `Cannot read PROXY header: not complete within ${timeout} ms`,
    "timeout",
    { offset: received.length, received },
  );
}

function abortedError(
  signal: AbortSignal | undefined,
  received: Uint8Array = EMPTY,
): ProxyProtocolError {
  return new ProxyProtocolError(
    "Cannot accept the connection: aborted",
    "aborted",
    { offset: received.length, received, cause: signal?.reason },
  );
}
