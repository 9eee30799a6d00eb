import { builtinModules } from "node:module";

/** What a specifier in a file of the corpus leads to. */
export type Target =
  /** Another file of the corpus. */
  | { readonly kind: "module"; readonly path: string }
  /** A package, by its name without the path inside it. */
  | { readonly kind: "package"; readonly name: string }
  /** A module of Node itself. */
  | { readonly kind: "builtin" }
  /** A file that is no source: JSON, an addon, a style sheet. */
  | { readonly kind: "asset" }
  /** A relative path that leads to no file of the corpus. */
  | { readonly kind: "unresolved" }
  /** A URL, an absolute path, or a `#name` that package.json maps. */
  | { readonly kind: "other" };

const BUILTINS: ReadonlySet<string> = new Set(builtinModules);
const ASSET_NAME = /\.(?:json|node|wasm|css|html|txt|svg|png)$/;

/** Tried behind a path in this order; Node's own come first, declarations last. */
const SUFFIXES = [
  "",
  ...[".js", ".mjs", ".cjs", ".jsx", ".ts", ".tsx", ".mts", ".cts"],
  ...[".d.ts", ".d.mts", ".d.cts"],
  ...["/index.js", "/index.mjs", "/index.cjs", "/index.ts", "/index.tsx", "/index.d.ts"],
];

/** TypeScript sources name the file they compile to; the file itself has one of these endings. */
const TYPESCRIPT_ENDINGS: ReadonlyMap<string, readonly string[]> = new Map([
  [".js", [".ts", ".tsx", ".d.ts"]],
  [".jsx", [".tsx"]],
  [".mjs", [".mts", ".d.mts"]],
  [".cjs", [".cts", ".d.cts"]],
]);

/** Finds what `specifier` leads to from the file `from`, looking at the list of paths only. */
export function resolveSpecifier(
  specifier: string,
  from: string,
  paths: ReadonlySet<string>,
): Target {
  if (isRelative(specifier)) return resolveRelative(specifier, from, paths);
  if (specifier.startsWith("node:")) return { kind: "builtin" };
  if (specifier === "" || /^[#/\\]|^[a-z][a-z0-9+.-]*:/i.test(specifier)) return { kind: "other" };
  const name = packageName(specifier);
  return BUILTINS.has(name) ? { kind: "builtin" } : { kind: "package", name };
}

function isRelative(specifier: string): boolean {
  return /^\.\.?(?:\/|$)/.test(specifier);
}

/** `name` of `name/path`, `@scope/name` of `@scope/name/path`. */
function packageName(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

function resolveRelative(specifier: string, from: string, paths: ReadonlySet<string>): Target {
  const base = joinPath(from, specifier);
  // A path that climbs out of the folder leads to no file of it.
  if (base === undefined) return { kind: "unresolved" };
  for (const candidate of candidates(base)) {
    if (paths.has(candidate)) return { kind: "module", path: candidate };
  }
  return { kind: ASSET_NAME.test(base) ? "asset" : "unresolved" };
}

function* candidates(base: string): Generator<string> {
  for (const suffix of SUFFIXES) yield base === "" ? suffix.replace(/^\//, "") : base + suffix;
  const ending = /\.[cm]?jsx?$/.exec(base)?.[0];
  if (ending === undefined) return;
  const stem = base.slice(0, -ending.length);
  for (const other of TYPESCRIPT_ENDINGS.get(ending) ?? []) yield stem + other;
}

/** Path of `relative` seen from the folder of `from`; `undefined` if it leaves the root. */
function joinPath(from: string, relative: string): string | undefined {
  const segments = from.split("/").slice(0, -1);
  for (const segment of relative.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") segments.push(segment);
    else if (segments.pop() === undefined) return undefined;
  }
  return segments.join("/");
}
