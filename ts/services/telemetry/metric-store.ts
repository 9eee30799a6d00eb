import type { Clock } from "../../base/clock.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { Metadata, TelemetryName } from "../sinks.ts";
import { labelKey, labelsOf, type MetricDescription, OVERFLOW_LABELS } from "./descriptions.ts";
import { type MetricLabels, type OnMeasured, Series, type SeriesPart } from "./series.ts";

/** A name with more words, or longer ones together, has a payload in it. */
const WORDS_MAX = 16;
const NAME_LENGTH_MAX = 512;
/** Most names that are described. */
const DESCRIBED_MAX = 1_024;
const NO_LABELS: MetricLabels = Object.freeze({});

/** The bounds of a store. */
export interface StoreLimits {
  /** Most series: a metric without labels is one. Unit: series. */
  readonly metricsMax: number;
  /** Most series of one metric with labels; events of others share one more. Unit: series. */
  readonly labelSetsMax: number;
}

/** A series, and what is said of its metric. */
export interface NamedPart extends SeriesPart {
  readonly description: Required<MetricDescription> | undefined;
}

/** A metric that somebody described, and its series by their labels. */
interface Described {
  readonly description: Required<MetricDescription>;
  readonly series: Map<string, Series>;
  /** Of all label sets for which there is no room. */
  overflow: Series | undefined;
}

/** A word of a name: what begins with it, and what ends here. */
interface Word {
  readonly below: Map<string, Word>;
  /** Of the metric with this name, as long as it has no labels. */
  series: Series | undefined;
  described: Described | undefined;
}

/**
 * Metrics by name. A name is walked word by word, so that an event costs a look-up for each word
 * and no text is put together.
 */
export class MetricStore {
  readonly #clock: Clock;
  #limits: StoreLimits;
  readonly #root = newWord();
  /** All series by their numbers, so that a page of them is found without a walk. */
  #order: Series[] = [];
  #size = 0;
  #ids = 0;
  #describedCount = 0;
  readonly #listeners = new Set<OnMeasured>();
  readonly #tell: OnMeasured = (...what) => {
    for (const listener of this.#listeners) listener(...what);
  };
  /** Events for which there was no room, or that had no right name. */
  dropped = 0;

  constructor(clock: Clock, limits: StoreLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Changes its bounds; what is there stays. */
  set limits(limits: StoreLimits) {
    this.#limits = limits;
  }

  /** Series that there are. */
  get size(): number {
    return this.#size;
  }

  /** The series of an event; undefined, and counted, where there is no room for it. */
  seriesOf(name: TelemetryName, metadata: Metadata): Series | undefined {
    let at: Word | undefined = this.#root;
    for (let index = 0; index < name.length && at !== undefined; index++) {
      at = at.below.get(name[index] as string);
    }
    if (at?.described !== undefined && at.described.description.labels.length > 0) {
      return this.#labelled(at.described, name, metadata);
    }
    return at?.series ?? this.#unlabelled(name, metadata);
  }

  /** Says what a metric is, instead of what was said before. False where there is no room. */
  describe(name: TelemetryName, description: Required<MetricDescription>): boolean {
    if (!isStorable(name)) return false;
    const before = this.#find(name)?.described;
    if (before === undefined && this.#describedCount >= DESCRIBED_MAX) return false;
    const word = this.#wordOf(name);
    if (before === undefined) this.#describedCount += 1;
    else if (isSame(before.description.labels, description.labels)) {
      word.described = { ...before, description };
      return true;
    } else this.#forgetLabelled(before);
    word.described = { description, series: new Map(), overflow: undefined };
    return true;
  }

  /** Calls a listener with the first value of each measurement of a series, until it is ended. */
  onMeasured(listener: OnMeasured): Unsubscribe {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Each series whose name begins with these words. */
  *parts(prefix: TelemetryName = []): Generator<NamedPart> {
    const at = this.#find(prefix);
    if (at === undefined) return;
    const wallOffsetMs = this.#clock.wallNow() - this.#clock.now();
    for (const word of wordsBelow(at)) {
      const description = word.described?.description;
      for (const series of seriesAt(word)) yield { ...series.part(wallOffsetMs), description };
    }
  }

  /** Number and numbers of each series behind the one with a number, in their order. */
  *partsAfter(after: number): Generator<readonly [number, NamedPart]> {
    const wallOffsetMs = this.#clock.wallNow() - this.#clock.now();
    const order = this.#order;
    for (let at = firstAfter(order, after); at < order.length; at++) {
      const series = order[at] as Series;
      const description = this.#find(series.name)?.described?.description;
      yield [series.id, { ...series.part(wallOffsetMs), description }];
    }
  }

  /** Forgets what was not measured for a time; answers with how many series that were. */
  forgetOlderThan(ageMs: number): number {
    const before = this.#size;
    const oldestMs = this.#clock.now() - ageMs;
    this.#forget((series) => series.lastMs < oldestMs);
    return before - this.#size;
  }

  /** Forgets everything but what was said of metrics. */
  clear(): void {
    this.#forget(() => true);
    this.dropped = 0;
  }

  #unlabelled(name: TelemetryName, metadata: Metadata): Series | undefined {
    const series = this.#make(name, NO_LABELS, metadata);
    if (series !== undefined) this.#wordOf(name).series = series;
    return series;
  }

  #labelled(described: Described, name: TelemetryName, metadata: Metadata): Series | undefined {
    const { description, series } = described;
    const key = labelKey(description.labels, metadata);
    const known = series.get(key);
    if (known !== undefined) return known;
    if (series.size >= this.#limits.labelSetsMax) {
      described.overflow ??= this.#make(name, OVERFLOW_LABELS, metadata);
      return described.overflow;
    }
    const made = this.#make(name, labelsOf(description.labels, metadata), metadata);
    if (made !== undefined) series.set(key, made);
    return made;
  }

  #make(name: TelemetryName, labels: MetricLabels, metadata: Metadata): Series | undefined {
    if (this.#size >= this.#limits.metricsMax || !isStorable(name)) {
      this.dropped += 1;
      return undefined;
    }
    // A copy: who measures may change its own objects.
    const own = { name: Object.freeze([...name]), metadata: Object.freeze({ ...metadata }) };
    const series = new Series({ id: ++this.#ids, labels, ...own, onMeasured: this.#tell });
    this.#size += 1;
    this.#order.push(series);
    return series;
  }

  #find(name: TelemetryName): Word | undefined {
    let at: Word | undefined = this.#root;
    for (const word of name) at = at?.below.get(word);
    return at;
  }

  #wordOf(name: TelemetryName): Word {
    let at = this.#root;
    for (const word of name) {
      const below = at.below.get(word) ?? newWord();
      at.below.set(word, below);
      at = below;
    }
    return at;
  }

  #forget(isOver: (series: Series) => boolean): void {
    this.#prune(this.#root, isOver);
    this.#order = this.#order.filter((series) => !isOver(series));
  }

  #forgetLabelled({ series, overflow }: Described): void {
    const gone = new Set<Series | undefined>([...series.values(), overflow]);
    this.#size -= series.size + (overflow === undefined ? 0 : 1);
    this.#order = this.#order.filter((one) => !gone.has(one));
  }

  #prune(at: Word, isOver: (series: Series) => boolean): boolean {
    for (const [word, below] of at.below) {
      if (this.#prune(below, isOver)) at.below.delete(word);
    }
    this.#forgetAt(at, isOver);
    return at.series === undefined && at.described === undefined && at.below.size === 0;
  }

  /** Forgets the series of one name that a test is true for. */
  #forgetAt(word: Word, isOver: (series: Series) => boolean): void {
    const { series, described } = word;
    if (series !== undefined && isOver(series)) {
      word.series = undefined;
      this.#size -= 1;
    }
    if (described === undefined) return;
    for (const [key, labelled] of described.series) {
      if (isOver(labelled) && described.series.delete(key)) this.#size -= 1;
    }
    if (described.overflow !== undefined && isOver(described.overflow)) {
      described.overflow = undefined;
      this.#size -= 1;
    }
  }
}

/** Where the first series with a higher number is. */
function firstAfter(order: readonly Series[], id: number): number {
  let [low, high] = [0, order.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((order[middle] as Series).id > id) high = middle;
    else low = middle + 1;
  }
  return low;
}

function newWord(): Word {
  return { below: new Map(), series: undefined, described: undefined };
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((label, at) => label === others[at]);
}

function isStorable(name: TelemetryName): boolean {
  if (!Array.isArray(name) || name.length === 0 || name.length > WORDS_MAX) return false;
  let length = 0;
  for (const word of name as readonly unknown[]) {
    if (typeof word !== "string") return false;
    length += word.length;
  }
  return length <= NAME_LENGTH_MAX;
}

function* wordsBelow(at: Word): Generator<Word> {
  yield at;
  for (const below of at.below.values()) yield* wordsBelow(below);
}

function* seriesAt({ series, described }: Word): Generator<Series> {
  if (series !== undefined) yield series;
  if (described === undefined) return;
  yield* described.series.values();
  if (described.overflow !== undefined) yield described.overflow;
}
