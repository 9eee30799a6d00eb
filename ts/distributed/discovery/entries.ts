import { isIP } from "node:net";
import { checkKind } from "../../base/option-checks.ts";
import type { Candidate, CandidateSet, ProviderContext } from "./provider.ts";

/** Entries of one answer that are read: more than any cluster has members. Unit: entries. */
export const ENTRIES_MAX = 16_384;

/** Longest name that a node can have. Unit: bytes. */
const NAME_BYTES_MAX = 255;

/** What an entry that tells only of an IP address lacks. */
export interface EntryOptions {
  /** Port of entries that name none. Unit: port number. Default: the port of the node itself. */
  readonly port?: number;
  /**
   * Names entries without a name as libcluster would: `app` makes `app@10.0.0.7`. Default: they
   * have none.
   */
  readonly basename?: string;
}

/** The keys of {@link EntryOptions}. */
export const ENTRY_KEYS: readonly string[] = ["port", "basename"];

/** Checks these options; `where` is what they belong to. */
export function checkEntryOptions(where: string, { port, basename }: EntryOptions): void {
  if (port !== undefined) checkPort(`port of ${where}`, port);
  if (basename !== undefined) {
    const kind = "a name without @ of 1 to 200 bytes";
    checkKind(`basename of ${where}`, isBasename(basename), kind);
  }
}

/**
 * Checks the number of a port.
 *
 * @throws FoundationError `invalid_options` where it is no whole number from 1 to 65,535
 */
export function checkPort(name: string, port: number): number {
  checkKind(name, isPort(port), `a port from 1 to 65535, not ${port}`);
  return port;
}

function isBasename(text: unknown): boolean {
  return isName(text) && !text.includes("@") && Buffer.byteLength(text) <= 200;
}

function isPort(port: unknown): port is number {
  return Number.isInteger(port) && (port as number) > 0 && (port as number) <= 65_535;
}

/** Whether that can be the name of a node: no control characters, 1 to 255 bytes. */
export function isName(text: unknown): text is string {
  if (typeof text !== "string" || text.length === 0 || !text.isWellFormed()) return false;
  return !/\p{Cc}/u.test(text) && Buffer.byteLength(text) <= NAME_BYTES_MAX;
}

/** `10.0.0.7:7000` or `[fd00::7]:7000`; undefined for what is no IP address or port. */
export function addressOf(host: string, port: number): string | undefined {
  // An address with a zone (`fe80::1%eth0`) means something on one machine alone.
  const family = host.includes("%") ? 0 : isIP(host);
  if (family === 0 || !isPort(port)) return undefined;
  return family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}

/** An entry as a source has it, before anything is known of it. */
interface RawEntry {
  readonly host: string;
  readonly port: unknown;
  readonly name: unknown;
  readonly isDraining: unknown;
}

/**
 * The candidates that entries stand for: text like `10.0.0.7`, `10.0.0.7:7000`, `[fd00::7]:7000` or
 * `app@10.0.0.7:7000`, or objects with `address`, `port`, `name` and `isDraining`. What cannot be
 * used is left out and counted: `badAddress`, `badName`, `overLimit`.
 */
export function readEntries(
  entries: Iterable<unknown>,
  options: EntryOptions,
  { self, note }: Pick<ProviderContext, "self" | "note">,
): CandidateSet {
  const candidates: Candidate[] = [];
  let read = 0;
  for (const entry of entries) {
    read += 1;
    if (read > ENTRIES_MAX) {
      note("overLimit");
      // Who comes after the limit is not gone.
      return { candidates, isComplete: false };
    }
    const candidate = readEntry(entry, options, self.port);
    if (typeof candidate === "string") note(candidate);
    else candidates.push(candidate);
  }
  return { candidates, isComplete: true };
}

function readEntry(entry: unknown, options: EntryOptions, ownPort: number): Candidate | string {
  const raw = typeof entry === "string" ? splitText(entry) : splitObject(entry);
  if (raw === undefined) return "badAddress";
  const { host, name, isDraining } = raw;
  const address = addressOf(host, (raw.port ?? options.port ?? ownPort) as number);
  if (address === undefined) return "badAddress";
  if (name !== undefined && !isName(name)) return "badName";
  const called = name ?? nameOf(host, options);
  return {
    address,
    ...(called !== undefined && { name: called }),
    ...(isDraining === true && { isDraining }),
  };
}

/** `app@10.0.0.7` with a basename, undefined without. */
export function nameOf(host: string, { basename }: EntryOptions): string | undefined {
  return basename === undefined ? undefined : `${basename}@${host}`;
}

/** `[name@]host[:port]`; an IPv6 address needs brackets only before a port. */
function splitText(text: string): RawEntry | undefined {
  if (text.length > 512) return undefined;
  const at = text.lastIndexOf("@");
  const rest = text.slice(at + 1);
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(rest);
  const host = match?.[1] ?? match?.[2] ?? rest;
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  const name = at > 0 ? `${text.slice(0, at)}@${host}` : undefined;
  return at === 0 ? undefined : { host, port, name, isDraining: undefined };
}

function splitObject(entry: unknown): RawEntry | undefined {
  if (typeof entry !== "object" || entry === null) return undefined;
  const { address, port, name, isDraining } = entry as Record<string, unknown>;
  if (typeof address !== "string") return undefined;
  const split = splitText(address);
  if (split === undefined) return undefined;
  return { ...split, port: split.port ?? port, name: name ?? split.name, isDraining };
}
