/**
 * Tells an observer of the user's. What it throws, or its promise rejects
 * with, must not end what it observes.
 */
export async function tell(observe: () => unknown): Promise<void> {
  try {
    await observe();
  } catch {
    // Its mistake is not the peer's.
  }
}
