import { FoundationError } from "../base/errors.ts";

/**
 * Checks the name of a module that another isolate will load.
 *
 * @returns it as `import` takes it there
 * @throws FoundationError `invalid_options`
 */
export function moduleName(module: URL | string): string {
  const text = module instanceof URL ? module.href : module;
  if (typeof text !== "string" || text === "") refuse("`module` must be a URL or a package's name");
  if (/\.[cm]?ts(?:$|[?#])/.test(text)) {
    refuse(`'${text}' is TypeScript: a worker runs built JavaScript`);
  }
  if (text.startsWith(".")) {
    refuse(`'${text}' is relative to nothing; use new URL("${text}", import.meta.url)`);
  }
  return text;
}

function refuse(text: string): never {
  throw new FoundationError("invalid_options", text);
}
