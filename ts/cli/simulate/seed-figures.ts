interface Figure {
  readonly name: string;
  readonly value: number;
}

/** The figures of several runs, side by side. */
export class SeedFigures {
  readonly #values = new Map<string, number[]>();

  /** Adds those of one run's report. */
  add({ figures }: Readonly<Record<string, unknown>>): void {
    for (const { name, value } of figures as readonly Figure[]) {
      const values = this.#values.get(name) ?? [];
      values.push(value);
      this.#values.set(name, values);
    }
  }

  /** Least, median and most of each figure, one a line. */
  table(): string {
    const lines = [...this.#values].map(([name, values]) => {
      const sorted = values.toSorted((one, other) => one - other);
      const [least = 0] = sorted;
      const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
      const most = sorted.at(-1) ?? 0;
      return row(name, [short(least), short(median), short(most)]);
    });
    return [row("", ["least", "median", "most"]), ...lines, ""].join("\n");
  }
}

function row(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(56)}${cells.map((cell) => cell.padStart(12)).join("")}`;
}

/** Whole numbers whole, others with four digits. */
function short(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(4);
}
