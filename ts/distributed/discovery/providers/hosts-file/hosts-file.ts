import { access } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { FoundationError } from "../../../../base/errors.ts";
import { checkKeys, checkKind, isPath } from "../../../../base/option-checks.ts";
import { answerOf, untilAborted } from "../../asking.ts";
import { checkEntryOptions, ENTRY_KEYS, type EntryOptions, readEntries } from "../../entries.ts";
import {
  checkFollowOptions,
  FOLLOW_KEYS,
  type FollowedFile,
  type FollowOptions,
  followText,
} from "../../followed-file.ts";
import type { CandidateSet, DiscoveryProvider, ProviderContext } from "../../provider.ts";
import { HostLookup } from "./host-addresses.ts";
import { readHosts } from "./host-terms.ts";

/** A file of hosts as Erlang has it. */
export interface HostsFileOptions extends EntryOptions, FollowOptions {
  /**
   * Path of the file. Default: `.hosts.erlang` in the working directory, else in the home of the
   * user.
   */
  readonly path?: string;
}

interface HostsPlan extends Required<FollowOptions> {
  /** Where the file may be; the first that is there counts. */
  readonly paths: readonly string[];
  readonly entries: EntryOptions;
}

/** Hosts of one file whose addresses are asked for: as many as a round looks at. */
const HOSTS_MAX = 1_024;

const FILE_NAME = ".hosts.erlang";

/**
 * Machines that a file `.hosts.erlang` names, each looked for at one port. File and names are
 * looked at again every `pollMs`, and when the file changes. A name that the system does not know
 * is counted as `unresolved`, and nobody is gone from such an answer.
 *
 * @throws FoundationError `invalid_options`
 */
export function hostsFileProvider(options: HostsFileOptions = {}): DiscoveryProvider {
  const plan = planOf(options);
  return {
    kind: "hostsFile",
    label: `hosts file ${plan.paths[0]}`,
    candidates: (context) => untilAborted(context, follow(plan, context)),
  };
}

function planOf(options: HostsFileOptions): HostsPlan {
  const where = "Providers.hostsFile";
  checkKeys(where, options, [...ENTRY_KEYS, ...FOLLOW_KEYS, "path"]);
  checkEntryOptions(where, options);
  const { path } = options;
  checkKind(`path of ${where}`, path === undefined || isPath(path), "the path of a file");
  const usual = (): string[] => [resolve(FILE_NAME), join(homedir(), FILE_NAME)];
  const paths = path === undefined ? usual() : [resolve(path)];
  return { paths, entries: options, ...checkFollowOptions(where, options) };
}

async function* follow(plan: HostsPlan, context: ProviderContext): AsyncGenerator<CandidateSet> {
  const file: FollowedFile = { ...plan, path: await firstThere(plan, context) };
  const lookup = new HostLookup(context, plan.timeoutMs);
  for await (const text of followText(file, context)) {
    const hosts = readHosts(text);
    if (hosts.length > HOSTS_MAX) context.note("overLimit");
    yield candidatesOf(hosts, plan, context, lookup);
  }
}

async function firstThere({ paths, timeoutMs }: HostsPlan, context: ProviderContext) {
  const isThere = async (path: string): Promise<boolean> =>
    access(path).then(
      () => true,
      () => false,
    );
  for (const path of paths) {
    const limit = { what: `the file ${path}`, timeoutMs };
    if (await answerOf(context, limit, async () => isThere(path))) return path;
  }
  const text = `there is no hosts file: ${paths.join(", ")}`;
  throw new FoundationError("discovery_failed", text);
}

async function candidatesOf(
  all: readonly string[],
  { entries }: HostsPlan,
  context: ProviderContext,
  lookup: HostLookup,
): Promise<CandidateSet> {
  const hosts = all.slice(0, HOSTS_MAX);
  const answers = await lookup.addressesOf(hosts);
  const unresolved = answers.filter((addresses) => addresses === undefined).length;
  if (unresolved > 0) context.note("unresolved", unresolved);
  if (hosts.length > 0 && unresolved === hosts.length) {
    throw new FoundationError("discovery_failed", "the system knows no host of the hosts file");
  }
  const set = readEntries(
    answers.flatMap((addresses) => addresses ?? []),
    entries,
    context,
  );
  const isWhole = unresolved === 0 && hosts.length === all.length;
  return { ...set, isComplete: set.isComplete && isWhole };
}
