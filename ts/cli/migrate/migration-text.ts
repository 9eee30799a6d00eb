import type { LibclusterMigration, ReportPlace } from "../../compat/index.ts";
import type { PrintableMigration } from "./printable.ts";

const TITLES = {
  unsupported: "Unsupported: something has to be written or given",
  changedBehaviour: "Changed behaviour",
  warnings: "Warnings",
  ignored: "Ignored",
} as const;

function placeText({ topology, key, position }: ReportPlace): string {
  const line = position === undefined ? [] : [`line ${position.line}, column ${position.column}`];
  const name = [topology, key].filter((part) => part !== undefined).join(".");
  const place = [...(name === "" ? [] : [name]), ...line.map((text) => `(${text})`)].join(" ");
  return place === "" ? "" : `${place}: `;
}

function listText(migration: LibclusterMigration, list: keyof typeof TITLES): readonly string[] {
  const lines = migration[list];
  if (lines.length === 0) return [];
  return ["", `${TITLES[list]}:`, ...lines.map((line) => `  ${placeText(line)}${line.text}`)];
}

function count(amount: number, word: string): string {
  return `${amount} ${word}${amount === 1 ? "" : "s"}`;
}

/** What came of it, in one line. */
function verdict({ config, topologies, mapped, unsupported }: LibclusterMigration): string {
  const made = count(config.discovery.sources.length, "source");
  const from = topologies.length === 1 ? "1 topology" : `${topologies.length} topologies`;
  const became = `${count(mapped.length, "setting")} mapped, ${unsupported.length} unsupported`;
  return `${from}, ${made}; ${became}`;
}

/** What has to be looked at, and the verdict. */
export function problemsText(migration: LibclusterMigration): string {
  const lines = (["unsupported", "warnings"] as const).flatMap((list) => listText(migration, list));
  return `${[...lines.slice(1), verdict(migration)].join("\n")}\n`;
}

/** The whole report, and the options for `Foundation.start`. */
export function migrationText({ migration, variables }: PrintableMigration): string {
  const titles = Object.keys(TITLES) as (keyof typeof TITLES)[];
  const mapped = migration.mapped.map((one) => `  ${placeText(one)}${one.to}`);
  const secrets = variables.map(
    (name) => `The secret is not printed: put it into ${name} of the environment.`,
  );
  return `${[
    verdict(migration),
    ...(mapped.length === 0 ? [] : ["", "Mapped:", ...mapped]),
    ...titles.flatMap((list) => listText(migration, list)),
    ...(secrets.length === 0 ? [] : ["", ...secrets]),
    "",
    "Options for Foundation.start:",
    JSON.stringify(migration.config, null, 2),
  ].join("\n")}\n`;
}
