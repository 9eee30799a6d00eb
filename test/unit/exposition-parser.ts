/** A line of an exposition. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Lines between two types. */
export interface ParsedFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ParsedSample[];
}

const NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
const HELP = new RegExp(`^# HELP (${NAME}) (.+)$`);
const TYPE = new RegExp(`^# TYPE (${NAME}) (counter|gauge|summary|histogram)$`);
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (\\S+)$`);
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const NUMBER = /^(?:[-+]?(?:\d+(?:\.\d+)?(?:e[-+]?\d+)?|Inf)|Nan|NaN)$/;

/**
 * Reads an exposition as strictly as its format is written down: what a line may be, that each
 * family stands in one piece with its help and type in front, that no line stands there twice, and
 * that the buckets of a histogram add up. Throws where it is not so.
 */
export function parseExposition(text: string, format = "prometheus"): Map<string, ParsedFamily> {
  if (!text.endsWith("\n")) throw new Error("the last line has no end");
  const lines = text.slice(0, -1).split("\n");
  const isOpen = format === "openmetrics";
  if (isOpen && lines.pop() !== "# EOF") throw new Error("no # EOF");
  const families = new Map<string, ParsedFamily & { samples: ParsedSample[] }>();
  let present: (ParsedFamily & { samples: ParsedSample[] }) | undefined;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] as string;
    if (line === "" && !isOpen) continue;
    const help = HELP.exec(line);
    if (help === null) {
      if (present === undefined) throw new Error(`no family: ${line}`);
      present.samples.push(sampleOf(line));
      continue;
    }
    const [, name, words] = help as unknown as [string, string, string];
    const type = TYPE.exec(lines[++at] as string);
    if (type?.[1] !== name) throw new Error(`no type: ${lines[at]}`);
    if (families.has(name)) throw new Error(`twice: ${name}`);
    present = { name, help: words, type: type[2] as string, samples: [] };
    families.set(name, present);
  }
  for (const family of families.values()) checkFamily(family, isOpen);
  checkUnique([...families.values()]);
  return families;
}

function sampleOf(line: string): ParsedSample {
  const [, name, rest = "", value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || !NUMBER.test(value as string)) throw new Error(`no sample: ${line}`);
  const labels: Record<string, string> = {};
  for (let left = rest; left !== ""; ) {
    const found = LABEL.exec(left);
    const [all, label, escaped] = (found ?? []) as unknown as [string, string, string];
    if (found === null || label in labels) throw new Error(`labels: ${line}`);
    labels[label] = escaped.replace(/\\(.)/g, (_, one: string) => (one === "n" ? "\n" : one));
    left = left.slice(all.length);
  }
  const number = Number((value as string).replace("Inf", "Infinity").replace("Nan", "NaN"));
  return { name, labels, value: number };
}

function checkFamily({ name, type, samples }: ParsedFamily, isOpen: boolean): void {
  const suffixes: Record<string, readonly string[]> = {
    counter: isOpen ? ["_total"] : [""],
    gauge: [""],
    summary: ["", "_sum", "_count"],
    histogram: ["_bucket", "_sum", "_count"],
  };
  const names = suffixes[type]?.map((suffix) => `${name}${suffix}`);
  for (const sample of samples) {
    if (names?.includes(sample.name) !== true) throw new Error(`${sample.name} in ${name}`);
    if (type === "summary" && sample.name === name && sample.labels["quantile"] === undefined) {
      throw new Error(`no quantile: ${name}`);
    }
  }
  if (type === "histogram") checkBuckets(name, samples);
}

function checkBuckets(name: string, samples: readonly ParsedSample[]): void {
  for (const count of samples.filter((sample) => sample.name === `${name}_count`)) {
    const buckets = samples.filter((sample) => {
      const { le, ...labels } = sample.labels;
      return le !== undefined && JSON.stringify(labels) === JSON.stringify(count.labels);
    });
    const isRising = buckets.every(({ value, labels }, at) => {
      const before = buckets[at - 1];
      if (before === undefined) return true;
      return before.value <= value && boundOf(before.labels) < boundOf(labels);
    });
    const last = buckets.at(-1);
    if (!isRising || last?.labels["le"] !== "+Inf" || last.value !== count.value) {
      throw new Error(`buckets of ${name}`);
    }
  }
}

function boundOf(labels: Readonly<Record<string, string>>): number {
  return Number(labels["le"]?.replace("Inf", "Infinity"));
}

function checkUnique(families: readonly ParsedFamily[]): void {
  const seen = new Set<string>();
  for (const { name, labels } of families.flatMap(({ samples }) => samples)) {
    const key = JSON.stringify([name, Object.entries(labels).sort()]);
    if (seen.has(key)) throw new Error(`twice: ${key}`);
    seen.add(key);
  }
}
