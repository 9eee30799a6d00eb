import { Providers } from "foundation-runtime";
import { describeProvider } from "./provider-contract.ts";

const VARIABLE = "FOUNDATION_TEST_SEEDS";

describeProvider(
  "environment",
  {
    isComplete: true,
    provider: () => Providers.environment({ variable: VARIABLE, pollMs: 10 }),
    publish: async (addresses) => {
      process.env[VARIABLE] = addresses.join(", ");
    },
    close: async () => {
      delete process.env[VARIABLE];
    },
  },
  {
    failing: {
      begin: async () => {
        delete process.env[VARIABLE];
      },
      end: async () => {
        process.env[VARIABLE] = "10.1.0.1 10.1.0.2";
      },
    },
    poison: async () => {
      process.env[VARIABLE] = "10.1.0.1,10.1.0.2:7000 10.1.0.3;4 \u{1F480}@10.1.0.3:0,,nobody";
    },
  },
);
