/** What the services cost, beside what a program on Node.js would take for each instead. */

import { captureCases } from "./services/capture.mjs";
import { configCases } from "./services/config.mjs";
import { eventsCases } from "./services/events.mjs";
import { infrastructureCases } from "./services/infrastructure.mjs";
import { registriesCases } from "./services/registries.mjs";
import { telemetryCases } from "./services/telemetry.mjs";
import { warmEventsCases } from "./services/warm-events.mjs";

/**
 * One file for each service.
 *
 * @type {import("./suites.mjs").Suite}
 */
export const services = {
  name: "services",
  question: "what the services cost a call, beside the libraries in their place",
  cases: (timing) => [
    ...configCases(timing),
    ...telemetryCases(timing),
    ...eventsCases(timing),
    ...warmEventsCases(timing),
    ...registriesCases(timing),
    ...infrastructureCases(timing),
    ...captureCases(timing),
  ],
};
