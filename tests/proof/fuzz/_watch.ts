/**
 * Catches what nobody else would: fails at its end when an error or a rejected
 * promise was left to the runtime.
 */
export function watch(): Disposable {
  const left: unknown[] = [];
  const keep = (event: ErrorEvent | PromiseRejectionEvent) => {
    event.preventDefault();
    left.push("reason" in event ? event.reason : event.error);
  };
  addEventListener("error", keep);
  addEventListener("unhandledrejection", keep);
  return {
    [Symbol.dispose]() {
      removeEventListener("error", keep);
      removeEventListener("unhandledrejection", keep);
      if (left.length > 0) {
        throw new AggregateError(left, "Errors that nobody handled");
      }
    },
  };
}
