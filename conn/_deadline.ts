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
  if (signal !== undefined) listen(signal, onAbort);
  const timer = timeout === Infinity
    ? undefined
    : setTimeout(() => reject(timeoutError(timeout, received?.())), timeout);
  try {
    return await Promise.race([work(), promise]);
  } finally {
    clearTimeout(timer);
    if (signal !== undefined) unlisten(signal, onAbort);
  }
}

/** Who waits for a signal, and the one listener that tells them. */
interface Waiting {
  acts: Set<() => void>;
  tell: () => void;
}

const WAITING = new WeakMap<AbortSignal, Waiting>();

/**
 * Waits for a signal. With a listener for each of thousands of pending headers
 * every further one would be slow: runtimes go through all of them when one
 * comes or goes.
 */
function listen(signal: AbortSignal, act: () => void): void {
  const waiting = WAITING.get(signal);
  if (waiting !== undefined) return void waiting.acts.add(act);
  const acts = new Set([act]);
  const tell = () => acts.forEach((act) => act());
  signal.addEventListener("abort", tell);
  WAITING.set(signal, { acts, tell });
}

/** Waits no longer; the signal keeps nothing of who has gone. */
function unlisten(signal: AbortSignal, act: () => void): void {
  const waiting = WAITING.get(signal);
  waiting?.acts.delete(act);
  if (waiting?.acts.size !== 0) return;
  signal.removeEventListener("abort", waiting.tell);
  WAITING.delete(signal);
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
