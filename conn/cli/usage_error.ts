/** The arguments cannot be used. */
export class UsageError extends Error {
  /** Name of the class. */
  override name = "UsageError";
}
