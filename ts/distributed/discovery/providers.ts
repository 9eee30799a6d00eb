import { environmentProvider } from "./providers/environment.ts";
import { fileProvider } from "./providers/file.ts";
import { staticProvider } from "./providers/fixed.ts";

/** Where candidates come from. Each makes a provider for the option `discovery` of a node. */
export const Providers = Object.freeze({
  /** Addresses that are known beforehand. */
  static: staticProvider,
  /** Addresses in a file, read anew when it changes. */
  file: fileProvider,
  /** Addresses in a variable of the environment. */
  environment: environmentProvider,
});
