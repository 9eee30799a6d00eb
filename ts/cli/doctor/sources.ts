import { autoFacts, chooseSources } from "../../distributed/discovery/auto.ts";
import { resolveDiscovery } from "../../distributed/discovery/discovery-options.ts";
import type { DiscoveryStep, SourceStatus } from "../../distributed/discovery/discovery-types.ts";
import { probeSource } from "../../distributed/discovery/probe.ts";
import { isLoopback, parseAddress } from "../../kernel/options.ts";
import { messageOf } from "../exit.ts";
import type { Check } from "./checks.ts";

/** What was found out about discovery. */
export interface SourcesReport {
  /** What `discovery: "auto"` looks at, and what it takes. */
  readonly steps: readonly DiscoveryStep[];
  readonly checks: readonly Check[];
  /** Of the sources that were asked. */
  readonly sources: readonly SourceStatus[];
}

function checkOf({ label, state, candidates, lastError, dropped }: SourceStatus): Check {
  const name = `source ${label}`;
  const left = Object.entries(dropped).map(([reason, count]) => `${count} ${reason}`);
  const out = left.length === 0 ? "" : `; left out: ${left.join(", ")}`;
  if (lastError !== undefined) return { name, severity: "problem", text: lastError.message };
  if (state === "starting") return { name, severity: "problem", text: "it did not answer in time" };
  if (candidates === 0) {
    return { name, severity: "note", text: `it answers, and knows of nobody else${out}` };
  }
  return { name, severity: "fine", text: `it knows of ${candidates} others${out}` };
}

/** Asks the sources that would be used, and says of those that cannot be asked why. */
export async function checkSources(
  { cluster, listen }: { readonly cluster: string; readonly listen: string },
  timeoutMs: number,
  stop: AbortSignal,
): Promise<SourcesReport> {
  const { sources, steps } = chooseSources(autoFacts(cluster, isLoopback(listen)));
  const checks: Check[] = [];
  const asked: SourceStatus[] = [];
  if (sources.length === 0) {
    const text = "no source is chosen: this node would find nobody; the steps say what to set";
    checks.push({ name: "sources", severity: "note", text });
  }
  const { host, port } = parseAddress(listen, "listen");
  const self = { name: "doctor", cluster, address: listen, host, port };
  for (const { kind, options } of sources) {
    try {
      const [source] = resolveDiscovery({ sources: [{ kind, options: options ?? {} }] }).sources;
      if (source === undefined) continue;
      if (source.provider.announces === true) {
        // It would be told of a node that is none.
        const text = "chosen; not asked here, since asking announces a node";
        checks.push({ name: `source ${kind}`, severity: "fine", text });
        continue;
      }
      const status = await probeSource(source, self, timeoutMs, stop);
      asked.push(status);
      checks.push(checkOf(status));
    } catch (thrown) {
      checks.push({ name: `source ${kind}`, severity: "problem", text: messageOf(thrown) });
    }
  }
  return { steps, checks, sources: asked };
}
