import { FoundationError } from "./errors.ts";

/**
 * Loads a package that is installed only by those who want it.
 *
 * @throws FoundationError `package_missing` with the line that installs it; what the package throws
 *   as it loads is thrown on
 */
export async function optionalPackage<Loaded>(
  name: string,
  range: string,
  load: () => Promise<Loaded>,
): Promise<Loaded> {
  try {
    return await load();
  } catch (thrown) {
    if (!isMissing(name, thrown)) throw thrown;
    throw missing(name, range, thrown);
  }
}

function missing(name: string, range: string, cause: unknown): FoundationError {
  const text = `this needs the package ${name}: npm install "${name}@${range}"`;
  return new FoundationError("package_missing", text, { cause, context: { name, range } });
}

/** Whether that very package is not there; one that it needs itself is another matter. */
function isMissing(name: string, thrown: unknown): boolean {
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  const isLost = code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND";
  return isLost && typeof message === "string" && message.includes(`'${name}'`);
}
