import type { TextPosition } from "./elixir/text-position.ts";

/** What a line of a report is about. */
export interface ReportPlace {
  /** Name of the topology or overlay; undefined for what is about all of them. */
  readonly topology: string | undefined;
  /** The key, as it is written. */
  readonly key: string | undefined;
  /** Where it is written, in a text of Elixir. */
  readonly position: TextPosition | undefined;
}

/** A line of a report. */
export interface ReportLine extends ReportPlace {
  readonly text: string;
}

/** A setting that has a counterpart. */
export interface MappedSetting extends ReportPlace {
  /** The counterpart, like `discovery.sources[0].provider.options.port`. */
  readonly to: string;
}

/** What became of the settings of a configuration. */
export interface MigrationReport {
  /** Settings with a counterpart. */
  readonly mapped: readonly MappedSetting[];
  /** Settings that are not needed here, and why. */
  readonly ignored: readonly ReportLine[];
  /** Settings that nothing was made of: something has to be written or given. */
  readonly unsupported: readonly ReportLine[];
  /** What is done otherwise than before, although the settings are the same. */
  readonly changedBehaviour: readonly ReportLine[];
  /** What had better be looked at. */
  readonly warnings: readonly ReportLine[];
}

/** Lists of a report that have texts. */
export type ReportList = Exclude<keyof MigrationReport, "mapped">;

/** A report while it is written. */
export class ReportWriter implements MigrationReport {
  readonly mapped: MappedSetting[] = [];
  readonly ignored: ReportLine[] = [];
  readonly unsupported: ReportLine[] = [];
  readonly changedBehaviour: ReportLine[] = [];
  readonly warnings: ReportLine[] = [];

  /** Adds a line. */
  note(list: ReportList, text: string, place: Partial<ReportPlace> = {}): void {
    this[list].push({ topology: place.topology, key: place.key, position: place.position, text });
  }

  /** The report alone, as it is now. */
  finished(): MigrationReport {
    const { mapped, ignored, unsupported, changedBehaviour, warnings } = this;
    return { mapped, ignored, unsupported, changedBehaviour, warnings };
  }
}
