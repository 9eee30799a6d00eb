/** What an isolate that waits for a process starts by way of trial. */
export function rehearsed(): void {}
