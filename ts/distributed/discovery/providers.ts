import { staticProvider } from "./providers/fixed.ts";

/** Where candidates come from. Each makes a provider for the option `discovery` of a node. */
export const Providers = Object.freeze({
  /** Addresses that are known beforehand. */
  static: staticProvider,
});
