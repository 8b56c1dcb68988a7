/** Counts the listeners that a signal has of those that are added from now on. */
export function countListeners(signal: AbortSignal): { readonly now: number } {
  const listeners = new Set<unknown>();
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (
    ...[type, listener, options]: Parameters<AbortSignal["addEventListener"]>
  ) => {
    listeners.add(listener); // adding it again does nothing
    add(type, listener, options);
  };
  signal.removeEventListener = (
    ...[type, listener, options]: Parameters<AbortSignal["removeEventListener"]>
  ) => {
    listeners.delete(listener);
    remove(type, listener, options);
  };
  return {
    get now() {
      return listeners.size;
    },
  };
}
