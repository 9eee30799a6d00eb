import { checkKind } from "../../base/option-checks.ts";
import type { ChannelOptions } from "../../kernel/options.ts";
import type { OverlayOptions } from "../../kernel/overlay-options.ts";
import { atomText, listOf, oneOf, SWITCH, wholeNumber } from "../kinds.ts";
import { type MigrationReport, ReportWriter } from "../report.ts";
import { isKeyed, type Keyed, type Kind, Settings, shown } from "../settings.ts";

/** What overlays of Partisan are here. */
export interface PartisanMigration extends MigrationReport {
  /** Options for `Foundation.start`. Plain data. */
  readonly config: {
    readonly overlays: Readonly<Record<string, OverlayOptions>>;
    readonly channels: Readonly<Record<string, ChannelOptions>>;
  };
}

const STRATEGIES = oneOf({
  fullMesh: "fullMesh",
  full_mesh: "fullMesh",
  partisan_pluggable_peer_service_manager: "fullMesh",
  hyparview: "hyparview",
  partisan_hyparview_peer_service_manager: "hyparview",
  clientServer: "clientServer",
  client_server: "clientServer",
  partisan_client_server_peer_service_manager: "clientServer",
  static: "static",
  partisan_static_peer_service_manager: "static",
} as const);

/** Partisan counts the node itself. */
const ACTIVE: Kind<number> = {
  what: "a whole number from 3 to 65, this node counted",
  read: (given) => {
    const all = wholeNumber(3, 65).read(given);
    return all === undefined ? undefined : all - 1;
  },
};

const FIXED = "it is fixed here (docs/overlays.md)";
const IGNORED: Readonly<Record<string, string>> = {
  active_min: "a view is filled whenever a neighbour is missing",
  active_rwl: FIXED,
  passive_rwl: FIXED,
  shuffle_k_active: FIXED,
  shuffle_k_passive: FIXED,
  random_promotion: "a neighbour that is lost is replaced at once",
  random_promotion_interval: "a neighbour that is lost is replaced at once",
  xbot_interval: FIXED,
  membership_strategy: "the roster is one for all overlays",
  broadcast: "each overlay has a broadcast tree",
};

/** A channel as one of Partisan's forms has it. */
interface GivenChannel {
  readonly name: string;
  readonly options: Keyed;
}

/** A name, `{name, options}` or `{monotonic, name}`; undefined for anything else. */
function channelOf(given: unknown): GivenChannel | undefined {
  const name = atomText(given);
  if (name !== undefined) return { name, options: {} };
  const [first, second] = listOf(given) ?? [];
  const word = atomText(first);
  if (word === undefined) return undefined;
  if (isKeyed(second)) return { name: word, options: second };
  const last = atomText(second);
  return word === "monotonic" && last !== undefined
    ? { name: last, options: { monotonic: true } }
    : undefined;
}

function channelsOf(given: unknown): readonly (GivenChannel | undefined)[] | undefined {
  if (!isKeyed(given)) return listOf(given)?.map(channelOf);
  return Object.entries(given).map(([name, options]) =>
    isKeyed(options) ? { name, options } : undefined,
  );
}

/** Makes overlays and channels, one after the other. */
class Migration {
  readonly #report: ReportWriter;
  readonly overlays: Record<string, OverlayOptions> = {};
  readonly channels: Record<string, ChannelOptions> = {};

  constructor(report: ReportWriter) {
    this.#report = report;
  }

  overlay(name: string, given: unknown): void {
    if (!isKeyed(given)) {
      const text = `an overlay has a kind and channels, and is not ${shown(given)}`;
      return this.#report.note("unsupported", text, { topology: name });
    }
    const settings = this.#settings(name, given, `overlays.${name}`);
    const kind = settings.either("overlay", "strategy", "peer_service_manager");
    const strategy = settings.required(kind, "strategy", STRATEGIES);
    const role = settings.read(
      "tag",
      "role",
      oneOf({ client: "client", server: "server" } as const),
    );
    const options = {
      strategy,
      role: role ?? (strategy === "clientServer" ? "server" : undefined),
      activeMax: settings.read("active_max", "activeMax", ACTIVE),
      passiveMax: settings.read("passive_max", "passiveMax", wholeNumber(1, 256)),
      shuffleMs: settings.read("shuffle_interval", "shuffleMs", wholeNumber(100, 600_000)),
      optimize: settings.read("xbot_enabled", "optimize", SWITCH),
      channels: this.#channels(name, settings),
    };
    for (const [key, why] of Object.entries(IGNORED)) settings.ignored(key, why);
    settings.rest(`overlay '${name}'`);
    if (strategy === undefined) return;
    const set = Object.entries(options).filter(([, value]) => value !== undefined);
    this.overlays[name] = Object.fromEntries(set) as unknown as OverlayOptions;
  }

  #settings(topology: string, given: Keyed, target: string): Settings {
    const placeOf = (): undefined => undefined;
    return new Settings(given, { report: this.#report, topology, target, placeOf });
  }

  #channels(overlay: string, settings: Settings): readonly string[] | undefined {
    const lanes = settings.read("parallelism", "channels", wholeNumber(1, 15));
    if (!settings.has("channels")) return undefined;
    const given = channelsOf(settings.raw("channels"));
    if (given === undefined || given.includes(undefined)) {
      settings.unsupported("channels", "it has to be a list of names, or of names with options");
      return undefined;
    }
    settings.mapped("channels", "channels");
    const known = given.filter((one) => one !== undefined && one.name !== "partisan_membership");
    return known.map((one) => this.#channel(overlay, one as GivenChannel, lanes));
  }

  #channel(overlay: string, { name, options }: GivenChannel, usual: number | undefined): string {
    const called = name === "undefined" ? "default" : name;
    const settings = this.#settings(overlay, options, `channels.${called}`);
    const lanes = settings.read("parallelism", "lanes", wholeNumber(1, 15)) ?? usual;
    const monotonic = settings.read("monotonic", "monotonic", SWITCH);
    settings.ignored("compression", "frames are not compressed");
    settings.rest(`channel '${name}'`);
    this.channels[called] = {
      ...(lanes !== undefined && { lanes }),
      ...(monotonic !== undefined && { monotonic }),
    };
    return called;
  }
}

/**
 * Makes options of overlays as Partisan 5 names them: an object of overlays by name, each with
 * `overlay` (or `peer_service_manager`), `channels`, and settings of Partisan in either spelling.
 *
 * @throws FoundationError `invalid_options` for what is no object
 */
export function fromPartisan(overlays: object): PartisanMigration {
  checkKind("partisanOverlays", isKeyed(overlays), "an object of overlays by name");
  const report = new ReportWriter();
  const migration = new Migration(report);
  for (const [name, given] of Object.entries(overlays)) migration.overlay(name, given);
  const { overlays: made, channels } = migration;
  return { config: { overlays: made, channels }, ...report.finished() };
}
