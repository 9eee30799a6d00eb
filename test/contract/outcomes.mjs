// What becomes of calls, in words that two processes can compare.

/** What a thrown error is known by. */
export const codeOf = (error) => error.code ?? `no code: ${error.message}`;

/** The code of what a call throws or rejects with, or what it gave instead. */
export async function outcome(call) {
  try {
    return `no error: ${String(await call())}`;
  } catch (error) {
    return codeOf(error);
  }
}

/** What becomes of each call of a node that left, or whose kernel thread is gone. */
export async function callsOf(node) {
  const to = { node: "home", name: "anything" };
  return {
    send: await outcome(() => node.send(to, 1)),
    call: await outcome(() => node.call(to, 1)),
    broadcast: await outcome(() => node.broadcast("anything", 1)),
    drained: await outcome(() => node.drained({ to: "peer" })),
    handle: await outcome(() => node.handle("anything", () => {})),
    awaitReady: await outcome(() => node.awaitReady({ minimumMembers: 2, timeoutMs: 2_000 })),
    join: await outcome(() => node.join("127.0.0.1:9", { timeoutMs: 2_000 })),
    metrics: await outcome(() => node.metrics()),
  };
}
