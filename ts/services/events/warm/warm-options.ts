import { FoundationError } from "../../../base/errors.ts";
import { checkCount, checkKeys, checkKind, checkWord } from "../../../base/option-checks.ts";

/** What an acknowledged event outlives: the end of its process, or a power loss too. */
export type WarmDurability = "process" | "disk";
/** How events are compressed on disk. */
export type WarmCompression = "none" | "gzip" | "zstd";

/** How a warm store is opened. */
export interface WarmStoreOptions {
  /** Its folder, made where it is missing; one store has it. Unit: path. Default: none. */
  readonly path: string;
  /**
   * What it may take on disk, its index included: beyond, the events stored first go first. From 8
   * to 1,048,576. Unit: MiB. Default: 100.
   */
  readonly maxSizeMb?: number;
  /** Of events stored from now on. Unit: word. Default: zstd. */
  readonly compression?: WarmCompression;
  /**
   * What an event outlives once it is acknowledged. `process`: it was handed to the system, and
   * outlives the process. `disk`: it was synced, and outlives a power loss. Unit: word. Default:
   * process.
   */
  readonly durability?: WarmDurability;
  /**
   * Whether a damaged store is opened with what can be read of it, the rest being dropped; it is
   * refused otherwise. Every file is read then. Unit: switch. Default: false.
   */
  readonly repair?: boolean;
  /**
   * Events that may wait to be acknowledged, together. From 65,536 to 268,435,456. Unit: bytes.
   * Default: 33,554,432.
   */
  readonly maxPendingBytes?: number;
}

/** How a warm store is opened unless options say otherwise. */
export const WARM_STORE_DEFAULTS = Object.freeze({
  maxSizeMb: 100, // as the configuration of Foundation 1.x has it
  compression: "zstd", // as there
  durability: "process", // a crash is common, a power loss is rare, and a sync costs milliseconds
  repair: false, // whoever loses events should know
  maxPendingBytes: 32 << 20, // a second of a fast writer on a slow disk
} as const);

const BOUNDS = {
  maxSizeMb: [8, 1 << 20],
  maxPendingBytes: [64 << 10, 256 << 20],
} as const;

/**
 * Checks options and fills in what is missing.
 *
 * @throws FoundationError `invalid_options`
 */
export function warmStoreOptions(options: WarmStoreOptions): Required<WarmStoreOptions> {
  checkKeys("the options of a warm store", options, ["path", ...Object.keys(WARM_STORE_DEFAULTS)]);
  const all = { ...WARM_STORE_DEFAULTS, ...options };
  checkKind("path", typeof all.path === "string" && all.path !== "", "the path of a folder");
  checkWord("compression", all.compression, ["none", "gzip", "zstd"]);
  checkWord("durability", all.durability, ["process", "disk"]);
  checkKind("repair", typeof all.repair === "boolean", "true or false");
  for (const [name, [least, most]] of Object.entries(BOUNDS)) {
    const value = all[name as keyof typeof BOUNDS];
    if (checkCount(name, value, least) > most) {
      throw new FoundationError("invalid_options", `${name} must be at most ${most}, not ${value}`);
    }
  }
  return all;
}
