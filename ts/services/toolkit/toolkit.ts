import * as identifiers from "./identifiers.ts";
import * as measures from "./measures.ts";
import * as nested from "./nested.ts";
import { retry } from "./retry.ts";
import * as sizes from "./sizes.ts";
import * as text from "./text.ts";

/** Small functions that the services use themselves: those of Foundation 1.x. */
export const Utils = Object.freeze({
  ...identifiers,
  ...measures,
  ...nested,
  ...sizes,
  ...text,
  retry,
});
