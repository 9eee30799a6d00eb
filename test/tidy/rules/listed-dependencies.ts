import { type Finding, lineAt, type Rule, type SourceFile } from "../repository.ts";

const DOCUMENT = "docs/dependencies.md";

/** Dependencies of any manifest that their page leaves out, or lists in another version. */
export const listedDependencies: Rule = (files) => {
  const page = files.find(({ path }) => path === DOCUMENT)?.text ?? "";
  return files.flatMap((file) => {
    if (/(?:^|\/)package\.json$/.test(file.path)) return packages(file, page);
    return /^(?:native|bindings)\/.*Cargo\.toml$/.test(file.path) ? crates(file, page) : [];
  });
};

// Packages are pinned, so the page can be held to the very version.
function packages(file: SourceFile, page: string): Finding[] {
  const manifest = JSON.parse(file.text) as Record<string, Record<string, string> | undefined>;
  const pinned = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((section) =>
    Object.entries(manifest[section] ?? {}),
  );
  return pinned.flatMap(([name, version]): Finding[] => {
    if (page.includes(`| \`${name}\` | ${version} |`)) return [];
    const line = lineAt(file.text, file.text.indexOf(`"${name}"`));
    return [{ path: file.path, line, reason: `${name} ${version} is not listed in ${DOCUMENT}` }];
  });
}

// Crates state a lower bound, and members may state different ones: the name is enough.
function crates(file: SourceFile, page: string): Finding[] {
  let isListing = false;
  return file.text.split("\n").flatMap((line, index): Finding[] => {
    if (line.startsWith("[")) isListing = /dependencies\]/.test(line);
    const name = isListing ? /^([\w-]+)(?:\.\w+)?\s*=/.exec(line)?.[1] : undefined;
    if (name === undefined || name.startsWith("foundation-")) return [];
    if (page.includes(`| \`${name}\` |`)) return [];
    const reason = `${name} is not listed in ${DOCUMENT}`;
    return [{ path: file.path, line: index + 1, reason }];
  });
}
