/** A column's title and the side its cells lean to. */
export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
}

/** Lines of a table, two spaces between columns; a cell that is missing is empty. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((width, row) => Math.max(width, (row[index] ?? "").length), title.length),
  );
  const format = (cells: readonly string[]): string =>
    columns
      .map(({ align }, index) => {
        const cell = cells[index] ?? "";
        const width = widths[index] ?? 0;
        return align === "left" ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd();
  return [format(columns.map(({ title }) => title)), ...rows.map(format)];
}

const COUNT_FORMAT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** A whole number with commas between thousands. */
export function formatCount(count: number): string {
  return COUNT_FORMAT.format(count);
}

/** Decimal megabytes from a million on, else kilobytes or bytes; one decimal. */
export function formatBytes(bytes: number): string {
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(1)} MB`;
  if (bytes >= 1e3) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${Math.round(bytes)} B`;
}

/** Seconds from one second on, else milliseconds with two decimals. */
export function formatDuration(durationMs: number): string {
  if (!Number.isFinite(durationMs)) return "none";
  return durationMs >= 1_000
    ? `${(durationMs / 1_000).toFixed(2)} s`
    : `${durationMs.toFixed(2)} ms`;
}

/** A share from 0 to 1 as percent with one decimal. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
