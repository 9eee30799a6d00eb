import { FoundationError } from "../../base/errors.ts";
import { checkKeys, checkKind, checkWord } from "../../base/option-checks.ts";
import { thrownText } from "../../base/thrown-text.ts";
import type { DiscoveryProvider } from "../../distributed/discovery/provider.ts";
import { type LibclusterFile, readLibclusterFile } from "../elixir/config-file.ts";
import { checkLength } from "../elixir/elixir-terms.ts";
import { atomText, PORT } from "../kinds.ts";
import { ReportWriter } from "../report.ts";
import { isKeyed, type Keyed, type PlaceOf, Settings, shown } from "../settings.ts";
import { readHooks } from "./hooks.ts";
import type {
  LibclusterHooks,
  LibclusterMigration,
  LibclusterOptions,
  LibclusterSource,
  MigratedTopology,
} from "./migration.ts";
import { strategyOf, unknownStrategy } from "./strategies.ts";

/** Most sources that a node has. */
const SOURCES_MAX = 16;

const SETTING_TEXTS: Readonly<Record<string, string>> = {
  debug: "what a node logs is set by its option 'log'",
};

/** Topologies as they were given, and where their keys are written. */
interface Given {
  readonly topologies: Keyed;
  readonly placeOf: PlaceOf;
}

/** Keys that a configuration has above its topologies, one in the other. */
const WRAPPERS_MAX = 3;

/** Topologies alone, or under the keys that a configuration has above them. */
function unwrapped(given: Keyed, depth = 0): Keyed {
  const inner = given["libcluster"] ?? given["topologies"] ?? given["libclusterTopologies"];
  const isWrapping = isKeyed(inner) && inner["strategy"] === undefined;
  return isWrapping && depth < WRAPPERS_MAX ? unwrapped(inner, depth + 1) : given;
}

function readText(text: string, report: ReportWriter): Given {
  if (/^\s*\{/.test(text)) return readJson(text);
  const file: LibclusterFile = readLibclusterFile(text);
  for (const { key, position } of file.settings) {
    const why = SETTING_TEXTS[key] ?? "it is no setting of the topologies";
    report.note("ignored", why, { key, position });
  }
  for (const { key, position } of file.repeated) {
    report.note("warnings", `'${key}' is there twice`, { key, position });
  }
  for (const topology of file.replaced) {
    report.note("warnings", "it is configured more than once; the last one counts", { topology });
  }
  return { topologies: file.value, placeOf: (container, key) => file.at(container, key) };
}

function notJson(thrown: unknown): FoundationError {
  const text = `the topologies are no JSON: ${thrownText(thrown)}`;
  return new FoundationError("invalid_options", text, { cause: thrown });
}

function readJson(text: string): Given {
  checkLength(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw notJson(thrown);
  }
  return { topologies: unwrapped(value as Keyed), placeOf: () => undefined };
}

function read(given: string | object, report: ReportWriter): Given {
  if (typeof given === "string") return readText(given, report);
  checkKind("libclusterTopologies", isKeyed(given), "an object of topologies by name, or a text");
  return { topologies: unwrapped(given as Keyed), placeOf: () => undefined };
}

function isProvider(value: unknown): value is DiscoveryProvider {
  return typeof (value as Partial<DiscoveryProvider> | null)?.candidates === "function";
}

/** Makes sources of topologies, one after the other. */
class Migration {
  readonly #report: ReportWriter;
  readonly #options: LibclusterOptions;
  readonly #placeOf: PlaceOf;
  readonly sources: LibclusterSource[] = [];

  constructor(report: ReportWriter, options: LibclusterOptions, placeOf: PlaceOf) {
    this.#report = report;
    this.#options = options;
    this.#placeOf = placeOf;
  }

  topology(name: string, given: unknown): MigratedTopology {
    if (!isKeyed(given)) {
      const text = `a topology has a strategy and its config, and is not ${shown(given)}`;
      this.#report.note("unsupported", text, { topology: name });
      return { name, strategy: "", source: undefined };
    }
    const before = this.#report.mapped.length;
    const outer = this.#settings(name, given, "");
    const strategy = nameOf(outer.raw("strategy"));
    const source = this.#source(name, outer);
    const hooks = readHooks(outer);
    outer.rest(`topology '${name}'`);
    const isRoom = this.sources.length < SOURCES_MAX;
    if (source !== undefined && isRoom) {
      this.sources.push({ ...source, ...hooks });
      return { name, strategy, source: this.sources.length - 1 };
    }
    if (!isRoom) {
      const text = `a node has at most ${SOURCES_MAX} sources`;
      this.#report.note("unsupported", text, { topology: name });
    }
    for (const place of this.#report.mapped.splice(before)) {
      this.#report.note("ignored", "nothing was made of its topology", place);
    }
    return { name, strategy, source: undefined };
  }

  #settings(topology: string, given: Keyed, below: string): Settings {
    const target = `discovery.sources[${this.sources.length}]${below}`;
    return new Settings(given, { report: this.#report, topology, target, placeOf: this.#placeOf });
  }

  #source(
    topology: string,
    outer: Settings,
  ): Omit<LibclusterSource, keyof LibclusterHooks> | undefined {
    const strategy = outer.raw("strategy");
    const config = outer.raw("config") ?? {};
    if (isProvider(strategy)) {
      outer.mapped("strategy", "provider");
      outer.ignored("config", "the strategy is a provider, which has its own options");
      return { provider: strategy };
    }
    const name = nameOf(strategy);
    const make = strategyOf(name);
    if (make === undefined) {
      const text = name === "" ? "it is required" : unknownStrategy(name);
      outer.unsupported("strategy", text);
      outer.ignored("config", "nothing was made of its strategy");
      return undefined;
    }
    const isEmpty = Array.isArray(config) && config.length === 0;
    if (!isKeyed(config) && !isEmpty) {
      outer.unsupported("config", `it has to be a keyword list, not ${shown(config)}`);
      return undefined;
    }
    const inner = this.#settings(topology, isKeyed(config) ? config : {}, ".provider.options");
    const source = make(inner, this.#options);
    inner.rest(`config of '${topology}'`);
    if (source !== undefined) outer.mapped("strategy", "provider.kind");
    return source;
  }
}

function nameOf(strategy: unknown): string {
  return (atomText(strategy) ?? "").replace(/^Elixir\./, "");
}

function checkOptions(options: LibclusterOptions): void {
  checkKeys("options of fromLibcluster", options, ["nodePort", "prune"]);
  const { nodePort, prune } = options;
  if (nodePort !== undefined) checkKind("nodePort", PORT.read(nodePort) !== undefined, PORT.what);
  if (prune !== undefined) checkWord("prune", prune, ["immediate"]);
}

/**
 * Makes options of topologies of libcluster 3.5: an object of topologies by name, JSON, or a text
 * in Elixir, of which nothing is run. Every setting is in the report, under one list at least.
 *
 * @throws FoundationError `invalid_options` for a text that cannot be read, with line and column,
 *   and for what are no topologies
 */
export function fromLibcluster(
  topologies: string | object,
  options: LibclusterOptions = {},
): LibclusterMigration {
  checkOptions(options);
  const report = new ReportWriter();
  const given = read(topologies, report);
  const migration = new Migration(report, options, given.placeOf);
  const migrated = Object.entries(given.topologies).map(([name, one]) =>
    migration.topology(name, one),
  );
  const { sources } = migration;
  return { config: { discovery: { sources } }, topologies: migrated, ...report.finished() };
}
