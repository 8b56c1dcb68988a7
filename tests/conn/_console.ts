/** Calls of `console.error`, kept instead of printed until this is disposed of. */
export interface HeldConsole extends Disposable {
  readonly calls: readonly unknown[][];
}

/** Holds what is said by `console.error` from now on. */
export function holdConsole(): HeldConsole {
  const { error } = console;
  const calls: unknown[][] = [];
  console.error = (...said: unknown[]) => void calls.push(said);
  return {
    calls,
    [Symbol.dispose]() {
      console.error = error;
    },
  };
}
