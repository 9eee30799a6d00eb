/** What was thrown, in words: the message of an error, any other value as text. Never throws. */
export function thrownText(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown);
  } catch {
    // An object without a prototype, one whose `toString` throws, a revoked proxy.
    return "something that has no text";
  }
}
