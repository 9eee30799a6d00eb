import { ManualClock } from "../../ts/base/manual-clock.ts";
import { ServiceSlot } from "../../ts/services/service-slot.ts";
import { Telemetry } from "../../ts/services/telemetry/telemetry.ts";
import { TelemetryCore } from "../../ts/services/telemetry/telemetry-core.ts";
import type { TelemetryOptions } from "../../ts/services/telemetry/telemetry-options.ts";

/** The telemetry of an isolate by itself, with a clock that stands still. */
export function telemetryScene(options: TelemetryOptions = {}, testMode = false) {
  const clock = new ManualClock();
  const slot = new ServiceSlot<TelemetryCore>("telemetry", 28_200);
  const core = new TelemetryCore(options, { clock, testMode });
  slot.install(core);
  const lines: [string, object][] = [];
  const log = {
    log: (_level: string, text: string, facts: object) => void lines.push([text, facts]),
  };
  return { clock, slot, core, lines, telemetry: new Telemetry(slot, log) };
}
