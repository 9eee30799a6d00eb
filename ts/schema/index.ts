/**
 * `foundation-runtime/schema`: schemas for sections of the configuration, by valibot. Loaded by who
 * imports it only; any other Standard Schema serves as well.
 */
import * as v from "valibot";

export { v };

/**
 * The schema of a section of the configuration: with these settings and no others, so that a
 * misspelt one is refused at the start. Those that have a default (`v.optional`) may be left out.
 */
export function section<const Entries extends v.ObjectEntries>(
  entries: Entries,
): v.StrictObjectSchema<Entries, undefined> {
  return v.strictObject(entries);
}
