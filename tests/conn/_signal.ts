/** Counts the listeners that a signal has from now on. */
export function countListeners(signal: AbortSignal): { readonly now: number } {
  const counts = { now: 0 };
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (
    ...[type, listener, options]: Parameters<AbortSignal["addEventListener"]>
  ) => {
    counts.now++;
    add(type, listener, options);
  };
  signal.removeEventListener = (
    ...[type, listener, options]: Parameters<AbortSignal["removeEventListener"]>
  ) => {
    counts.now--;
    remove(type, listener, options);
  };
  return counts;
}
