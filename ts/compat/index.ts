/**
 * `foundation-runtime/compat`: configurations of libcluster and Partisan as options of a node, with
 * a report of what became of each setting. Loaded by who imports it only.
 */

export { parseElixirTerms } from "./elixir/elixir-terms.ts";
export type { TextPosition } from "./elixir/text-position.ts";
export {
  ElixirCode,
  type ElixirTerms,
  ElixirTuple,
  type ElixirValue,
  type RepeatedKey,
} from "./elixir/values.ts";
export { fromLibcluster } from "./libcluster/libcluster.ts";
export type {
  LibclusterAnswer,
  LibclusterHooks,
  LibclusterMigration,
  LibclusterOptions,
  LibclusterSource,
  MigratedTopology,
  ProviderData,
} from "./libcluster/migration.ts";
export {
  LibclusterReports,
  type LibclusterSearch,
  type LibclusterSinks,
} from "./libcluster/telemetry.ts";
export { fromPartisan, type PartisanMigration } from "./partisan/partisan.ts";
export type { MappedSetting, MigrationReport, ReportLine, ReportPlace } from "./report.ts";
