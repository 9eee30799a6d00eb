import { type Channel, channel } from "node:diagnostics_channel";

/**
 * Where this package tells `node:diagnostics_channel` what happens, for tools that watch a program
 * from outside. Nothing is put together for a channel that nobody listens to.
 */
export const HOOKS: Readonly<Record<"telemetry" | "spawn" | "exit" | "call" | "reply", Channel>> =
  Object.freeze({
    telemetry: channel("foundation:telemetry"),
    spawn: channel("foundation:process:spawn"),
    exit: channel("foundation:process:exit"),
    call: channel("foundation:call:start"),
    reply: channel("foundation:call:end"),
  });
