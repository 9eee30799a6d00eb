import { abortError } from "../base/deadline.ts";
import { fromNative, native } from "../base/errors.ts";
import { core } from "./native.ts";

/** Something that the simulator can show. */
export type SimulationScenario = ReturnType<typeof core.simulationScenarios>[number];
type News = ReturnType<typeof core.takeFromSimulation>;
/** How far a run has come. */
export type SimulationProgress = Pick<News, "phase" | "virtualMs" | "nodesUp" | "steps">;

/** How a run is set up. What is left out is the scenario's to say. */
export interface SimulationOptions {
  /** One of {@link simulationScenarios}. Unit: name. Default: `crash`. */
  readonly scenario?: string | undefined;
  /** How many nodes, 2 to 100,000. Unit: nodes. Default: the scenario's. */
  readonly nodes?: number | undefined;
  /** Everything random comes from it. Unit: number. Default: 1. */
  readonly seed?: number | undefined;
  /** Part of the nodes that fails, 0 to 0.99. Unit: ratio. Default: the scenario's. */
  readonly fail?: number | undefined;
  /** Whether nodes find separated parts by discovery seeds. Unit: switch. Default: true. */
  readonly seedRule?: boolean | undefined;
  /** Whether the overlay is drawn before and after. Unit: switch. Default: false. */
  readonly picture?: boolean | undefined;
}

/** What came of a run. */
export interface SimulationResult {
  /** Whether nothing was violated, no bar was missed, and all happened that was to happen. */
  readonly holds: boolean;
  /** The report for people. */
  readonly text: string;
  /** The report for programs. */
  readonly report: Readonly<Record<string, unknown>>;
}

/** The scenarios of the simulator. */
export function simulationScenarios(): readonly SimulationScenario[] {
  return core.simulationScenarios();
}

/**
 * Runs the simulator on a thread of the core; the event loop stays free. The same options give the
 * same report.
 *
 * @param onProgress Is called now and then, with the newest that is known.
 * @throws FoundationError `invalid_options`; `aborted`; `internal` where the simulator panicked
 */
export async function runSimulation(
  options: SimulationOptions,
  onProgress: (progress: SimulationProgress) => void,
  signal?: AbortSignal,
): Promise<SimulationResult> {
  throwIfAborted(signal);
  let settle = (_news: News): void => {};
  const ended = new Promise<News>((resolve) => {
    settle = resolve;
  });
  const run = native(() => {
    return core.startSimulation(JSON.stringify(options), () => {
      const news = core.takeFromSimulation(run);
      if (news.report !== undefined || news.code !== undefined) settle(news);
      else onProgress(news);
    });
  });
  const stop = (): void => core.stopSimulation(run);
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const { report, text = "", holds = false, code, message } = await ended;
    if (code !== undefined) throw fromNative(Object.assign(new Error(message), { code }));
    throwIfAborted(signal);
    return { holds, text, report: JSON.parse(report ?? "{}") as SimulationResult["report"] };
  } finally {
    signal?.removeEventListener("abort", stop);
    core.releaseSimulation(run);
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}
