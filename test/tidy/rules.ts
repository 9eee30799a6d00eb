import type { Rule } from "./repository.ts";
import { crateArrows } from "./rules/crate-arrows.ts";
import { documentedExports } from "./rules/documented-exports.ts";
import { documentedOptions } from "./rules/documented-options.ts";
import { emptyNames } from "./rules/empty-names.ts";
import { errorCodes } from "./rules/error-codes.ts";
import { listedDependencies } from "./rules/listed-dependencies.ts";
import { namedTests } from "./rules/named-tests.ts";
import { purity } from "./rules/purity.ts";
import { reachability } from "./rules/reachability.ts";
import { scriptArrows } from "./rules/script-arrows.ts";
import { fileLength, functionLength, lineColumns } from "./rules/sizes.ts";
import { sleepingTests } from "./rules/sleeping-tests.ts";
import { unsafeReasons } from "./rules/unsafe-reasons.ts";
import { workplaceWords } from "./rules/workplace-words.ts";

/** Every style rule that the tree is held to, by the name its test carries. */
export const RULES: ReadonlyMap<string, Rule> = new Map([
  ["imports follow the arrows of the layers", scriptArrows],
  ["crates follow the arrows of the layers", crateArrows],
  ["PURE rooms name no clock, socket, thread or global random", purity],
  ["files stay under their length", fileLength],
  ["functions stay under their length", functionLength],
  ["lines stay under their width", lineColumns],
  ["no file or folder has an empty name", emptyNames],
  ["exported names have a doc comment", documentedExports],
  ["options have doc, unit, default and reason", documentedOptions],
  ["errors have codes, and codes are explained", errorCodes],
  ["unsafe states its reason", unsafeReasons],
  ["tests do not sleep", sleepingTests],
  ["every source file is reached", reachability],
  ["dependencies are listed with their reason", listedDependencies],
  ["tests that a page names are there", namedTests],
  ["the text speaks of the project alone", workplaceWords],
]);
