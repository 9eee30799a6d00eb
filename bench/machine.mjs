/** What the figures were taken on: absolute ones mean nothing without it. */

import { cpus, loadavg, release, totalmem, type } from "node:os";

import { otpRelease } from "./cluster/disterl.mjs";

/** @typedef {Awaited<ReturnType<typeof machineFacts>>} MachineFacts */

/** Gathers the facts; asking Erlang for its release starts it once. */
export async function machineFacts() {
  const processors = cpus();
  return {
    cores: processors.length,
    processor: processors[0]?.model.trim() ?? "unknown",
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    otp: await otpRelease(),
    /** Runnable processes over the last minute, before the run: above zero means company. */
    loadBefore: loadavg()[0],
    takenAt: new Date().toISOString(),
  };
}
