import { isIP } from "node:net";
import { FoundationError } from "../base/errors.ts";
import { checkKeys, checkKind } from "../base/option-checks.ts";
import { checkKinds } from "./option-kinds.ts";
import { type NativeOverlay, type OverlayOptions, resolveOverlays } from "./overlay-options.ts";
import { type Secret, secretDigits } from "./secrets.ts";

/** How one named channel is scheduled. Defaults: {@link CHANNEL_DEFAULTS}. */
export interface ChannelOptions {
  /** Urgency: every frame of a lower number goes first. Unit: rank, 0 to 255, 0 most urgent. */
  readonly priority?: number;
  /** Share among channels of one priority. Unit: chunks a round, 1 to 65,535. */
  readonly weight?: number;
  /** Connections the channel spreads over, opened on first use. Unit: connections, 1 to 15. */
  readonly lanes?: number;
  /** A newer message for the same receiver and key replaces one that still waits. */
  readonly monotonic?: boolean;
}

/** What a channel is unless its options say otherwise. */
export const CHANNEL_DEFAULTS: Required<ChannelOptions> = Object.freeze({
  priority: 1, // between an urgent 0 and bulk at 2 and above
  weight: 1, // equal shares
  lanes: 1, // a second connection alone gained nothing on loopback (docs/messaging.md)
  monotonic: false, // losing older values has to be asked for
});

/** How a node is started. Defaults: {@link FOUNDATION_DEFAULTS}. */
export interface FoundationOptions {
  /** Node name, unique in the cluster. Default: `node-` and random letters. */
  readonly name?: string;
  /** Cluster name; nodes of different clusters refuse each other. */
  readonly cluster?: string;
  /** IP address and port to listen on; port 0 lets the system choose. */
  readonly listen?: string;
  /** Address under which others reach this node. Default: the one it listens on. */
  readonly advertise?: string;
  /** Addresses of members to join, tried until one answers. */
  readonly seeds?: readonly string[];
  /**
   * Secret that every member proves to know; links off loopback are sealed with keys derived from
   * it. Text, bytes, or `env:NAME` or `file:PATH` to read it from. Default: none.
   */
  readonly secret?: Secret;
  /** Several in place of `secret`: all are accepted, the first is used. At most eight. */
  readonly secrets?: readonly Secret[];
  /** Seals links on loopback too; needs a secret. */
  readonly encrypt?: boolean;
  /**
   * Allows plain text off loopback, with a secret as without. Anybody on that network can read and
   * inject.
   */
  readonly insecure?: boolean;
  /**
   * Channels by name. The channel `default` always exists; declaring it changes how it is
   * scheduled.
   */
  readonly channels?: Readonly<Record<string, ChannelOptions>>;
  /**
   * Largest shared memory of the process, reserved by its first node. Unit: bytes. Untouched it
   * costs no RSS.
   */
  readonly arenaBytesMax?: number;
  /** Size of each ring between an isolate and the kernel thread; a power of two. Unit: bytes. */
  readonly ringBytes?: number;
  /** An event loop that runs this long without polling makes its node `busy`. Unit: ms. */
  readonly busyAfterMs?: number;
  /**
   * Watched links that are idle are probed this often (docs/membership.md, "Liveness"). Unit: ms.
   * Lower finds dead peers sooner and costs packets.
   */
  readonly heartbeatMs?: number;
  /** A peer silent for this long is down. Unit: ms. Must exceed twice `heartbeatMs`. */
  readonly silentAfterMs?: number;
  /** An unfinished large message is dropped after this time without a chunk. Unit: ms. */
  readonly reassemblyTimeoutMs?: number;
  /** Queue per peer and channel above which `send` answers false. Unit: bytes. */
  readonly highWaterBytes?: number;
  /** Queue per peer and channel below which it accepts again. Unit: bytes. */
  readonly lowWaterBytes?: number;
  /**
   * Credit per sender, channel and isolate to begin with; bounds what unsettled handlers hold.
   * Unit: bytes.
   */
  readonly windowBytes?: number;
  /** Largest credit that a fast reader is given. Unit: bytes. */
  readonly windowBytesMax?: number;
  /** Largest message. Unit: bytes, at most 16 MiB. */
  readonly messageBytesMax?: number;
  /**
   * Memory promised to large messages over all links at once. Unit: bytes. At least one largest
   * message.
   */
  readonly receiveBytesMax?: number;
  /**
   * Largest part of a message in one frame. Unit: bytes. Lower lets urgent frames through sooner.
   */
  readonly chunkBytes?: number;
  /** Bytes the system may hold unsent per connection. Unit: bytes. */
  readonly unsentBytes?: number;
  /** Time that one drain of the rings may take before timers and I/O get their turn. Unit: ms. */
  readonly drainBudgetMs?: number;
  /**
   * Pins the kernel thread, a thread of its own then. Unit: core number. Default: shared and
   * unpinned.
   */
  readonly kernelCore?: number;
  /**
   * Who polls the connections: the kernel thread, or the event loop of the isolate that calls
   * `Foundation.start`, while it runs. Asks for `capabilities().isolateIo`.
   */
  readonly io?: "thread" | "isolate";
  /**
   * How it waits for them: asleep, or by looking again and again, which costs a core per process.
   */
  readonly poll?: "block" | "spin";
  /**
   * Overlays by name, in the same order on every node of the cluster: which links the node keeps,
   * and how broadcasts travel. At most eight. Default: none, the node links to every member.
   */
  readonly overlays?: Readonly<Record<string, OverlayOptions>>;
  /**
   * With overlays, how messages reach a member that there is no link to: `auto` dials it, and where
   * that fails others pass messages on; `dial` only dials; `never` refuses with `noconnection`.
   */
  readonly relay?: "auto" | "dial" | "never";
  /**
   * With overlays, a link that none of them keeps is closed after so long without a message.
   * Unit: ms.
   */
  readonly linkIdleMs?: number;
  /** Start counter of the node, kept by the caller. Unit: starts. Default: start time in ms. */
  readonly lifeStart?: number;
  /**
   * Lowest and highest protocol version offered, to try an upgrade. Unit: protocol version.
   * Default: all that this package speaks.
   */
  readonly protocolVersions?: readonly [number, number];
}

/** What a node is unless its options say otherwise. Sizes: `npm run bench -- calibrate`. */
export const FOUNDATION_DEFAULTS = Object.freeze({
  cluster: "foundation", // nodes that were told nothing find each other
  listen: "127.0.0.1:0", // loopback: nothing is open to a network unless asked for
  seeds: Object.freeze([]) as readonly string[], // a node may well be the first one
  // Loopback alone is reachable without one.
  secrets: Object.freeze([]) as readonly Secret[],
  encrypt: false, // the system keeps other users out of loopback, and sealing costs time
  insecure: false, // plain text on a network has to be asked for
  // The channel `default` is always there.
  channels: Object.freeze({}) as Readonly<Record<string, ChannelOptions>>,
  arenaBytesMax: 1 << 30, // reserved, not touched: measured to cost no RSS on Node 20
  ringBytes: 256 << 10, // fits the cache: 1.05-2.1 times as fast as 1 MiB
  busyAfterMs: 1_000, // longer than garbage collection and synchronous parsing usually take
  heartbeatMs: 1_000, // two may be lost before `silentAfterMs`
  silentAfterMs: 2_700, // "silent node detected <= 3 s", the news to isolates included
  reassemblyTimeoutMs: 30_000, // far beyond any pause of a link that is still alive
  highWaterBytes: 4 << 20, // some milliseconds of a fast link, and no more to lose with it
  lowWaterBytes: 1 << 20, // enough to keep the link busy while senders wake up
  windowBytes: 1 << 20, // loopback needs 2 x 2 GB/s x 0.1 ms = 400 KiB
  windowBytesMax: 64 << 20, // 2 x 1.5 GB/s x 20 ms
  messageBytesMax: 16 << 20, // the wire's frame limit
  receiveBytesMax: 256 << 20, // sixteen of the largest messages at once
  chunkBytes: 128 << 10, // at 1 GB/s an urgent frame waits 128 µs behind one; bench: calibrate
  unsentBytes: 128 << 10, // an urgent frame waits behind at most this much
  drainBudgetMs: 8, // half a frame of a 60 Hz timer
  io: "thread" as "thread" | "isolate", // docs/performance.md, "Where the sockets are polled"
  poll: "block" as "block" | "spin", // a core per process has to be asked for
  relay: "auto" as "auto" | "dial" | "never", // a message that can arrive does
  linkIdleMs: 30_000, // a dial costs a round trip or three; what talks twice a minute keeps it
});

/** Options with every default filled in; `secrets` holds digits, and `secret` nothing. */
export type ResolvedOptions = Omit<FoundationOptions, "secret"> &
  Required<Pick<FoundationOptions, keyof typeof FOUNDATION_DEFAULTS | "name">>;

/** Most secrets that a node accepts at once. Two are needed while a cluster changes its secret. */
const KEYS_MAX = 8;

const KNOWN_KEYS: readonly string[] = [
  ...Object.keys(FOUNDATION_DEFAULTS),
  "name",
  "secret",
  "advertise",
  "kernelCore",
  "lifeStart",
  "protocolVersions",
  "overlays",
];

function invalid(message: string, context: Record<string, unknown> = {}): FoundationError {
  return new FoundationError("invalid_options", message, { context });
}

function checkInteger(name: string, value: unknown, min: number, max: number): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw invalid(`${name} must be a whole number from ${min} to ${max}, not ${String(value)}`, {
      name,
    });
  }
}

const NUMBER_RANGES: Readonly<Record<string, readonly [number, number]>> = {
  arenaBytesMax: [16 << 20, 0xffff_f000],
  ringBytes: [16 << 10, 64 << 20],
  busyAfterMs: [10, 3_600_000],
  heartbeatMs: [10, 3_600_000],
  silentAfterMs: [30, 86_400_000],
  reassemblyTimeoutMs: [100, 86_400_000],
  highWaterBytes: [4 << 10, 1 << 30],
  lowWaterBytes: [0, 1 << 30],
  windowBytes: [4 << 10, 1 << 30],
  windowBytesMax: [4 << 10, 1 << 30],
  messageBytesMax: [1 << 10, 16 << 20],
  receiveBytesMax: [1 << 10, 0xffff_f000],
  chunkBytes: [1 << 10, 256 << 10],
  unsentBytes: [4 << 10, 64 << 20],
  drainBudgetMs: [1, 10_000],
  linkIdleMs: [100, 86_400_000],
};

const WORDS: Readonly<Record<string, readonly string[]>> = {
  io: ["thread", "isolate"],
  poll: ["block", "spin"],
  relay: ["auto", "dial", "never"],
};

function checkWord(name: string, value: unknown, known: readonly string[]): void {
  if (known.includes(value as string)) return;
  const words = known.map((word) => `'${word}'`).join(" or ");
  throw invalid(`${name} must be ${words}, not ${JSON.stringify(value)}`, { name });
}

function checkRelations(options: ResolvedOptions): void {
  const relations: [boolean, string][] = [
    [options.lowWaterBytes < options.highWaterBytes, "lowWaterBytes must be below highWaterBytes"],
    [options.windowBytes <= options.windowBytesMax, "windowBytes must not exceed windowBytesMax"],
    [
      options.heartbeatMs * 2 < options.silentAfterMs,
      "silentAfterMs must exceed twice heartbeatMs",
    ],
    [(options.ringBytes & (options.ringBytes - 1)) === 0, "ringBytes must be a power of two"],
    [
      options.ringBytes * 8 <= options.arenaBytesMax,
      "arenaBytesMax must hold at least eight rings",
    ],
    [
      options.receiveBytesMax >= options.messageBytesMax + 64,
      "receiveBytesMax must hold at least one message of messageBytesMax",
    ],
  ];
  for (const [holds, text] of relations) if (!holds) throw invalid(text);
}

/**
 * Parses `host:port` with an IP address.
 *
 * @throws FoundationError `invalid_options` for anything else, host names included
 */
export function parseAddress(address: string, what: string): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  const host = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3]);
  if (match === null || isIP(host) === 0 || port > 65_535) {
    throw invalid(`${what} '${address}' is not an IP address with a port, like 127.0.0.1:7000`);
  }
  return { host, port };
}

function isLoopbackHost(host: string): boolean {
  return host === "::1" || host.startsWith("127.");
}

/**
 * Whether an address is reached from its own host alone.
 *
 * @throws FoundationError `invalid_options` for what is no IP address with a port
 */
export function isLoopback(address: string): boolean {
  return isLoopbackHost(parseAddress(address, "address").host);
}

function checkAddresses(options: ResolvedOptions): void {
  const open: string[] = [];
  const note = (address: string, what: string): void => {
    if (!isLoopbackHost(parseAddress(address, what).host)) open.push(address);
  };
  note(options.listen, "listen");
  if (options.advertise !== undefined) note(options.advertise, "advertise");
  const own = open.length;
  for (const seed of options.seeds) note(seed, "seed");
  const [address] = open;
  if (address === undefined) return;
  if (options.insecure) {
    if (own > 0) warnOfPlainText(options.name, address);
  } else if (options.secrets.length === 0) {
    throw new FoundationError(
      own > 0 ? "insecure_bind" : "insecure_dial",
      `${address} is open to the network and there is no secret; give all nodes one secret, ` +
        "stay on loopback, or write insecure: true to accept plain text from anybody",
    );
  }
}

function warnOfPlainText(name: string, address: string): void {
  process.emitWarning(
    `node '${name}' is reached at ${address} in plain text: ` +
      "anybody on that network can read its messages and inject others (insecure: true)",
    { code: "FOUNDATION_INSECURE" },
  );
}

/** Reads the secrets from wherever they are, in the form that the native core takes. */
function readSecrets(options: FoundationOptions): readonly string[] {
  const { secret, secrets } = options;
  if (secret !== undefined && secrets !== undefined) {
    throw invalid("secret and secrets are two ways to say one thing: give one of them");
  }
  const all = secrets ?? (secret === undefined ? [] : [secret]);
  if (!Array.isArray(all)) throw invalid("secrets must be a list");
  if (all.length > KEYS_MAX) throw invalid(`at most ${KEYS_MAX} secrets are accepted at once`);
  return all.map((one: Secret, at) =>
    secretDigits(one, secrets === undefined ? "secret" : `secrets[${at}]`),
  );
}

function checkSecurity(options: ResolvedOptions): void {
  if (!options.encrypt) return;
  if (options.insecure) throw invalid("encrypt: true and insecure: true contradict each other");
  if (options.secrets.length === 0) throw invalid("encrypt: true needs a secret");
}

function checkNames(options: ResolvedOptions): void {
  const names = [options.name, options.cluster, ...Object.keys(options.channels)];
  for (const name of names) {
    const bytes = Buffer.byteLength(name);
    if (bytes === 0 || bytes > 255) throw invalid(`the name '${name}' must have 1 to 255 bytes`);
  }
  for (const [name, channel] of Object.entries(options.channels)) {
    checkKeys(`channel '${name}'`, channel, Object.keys(CHANNEL_DEFAULTS));
    const all = { ...CHANNEL_DEFAULTS, ...channel };
    checkInteger(`priority of channel '${name}'`, all.priority, 0, 255);
    checkInteger(`weight of channel '${name}'`, all.weight, 1, 65_535);
    checkInteger(`lanes of channel '${name}'`, all.lanes, 1, 15);
    checkKind(`monotonic of channel '${name}'`, typeof all.monotonic === "boolean", "a switch");
  }
}

/** The overlays of a node, checked and with all defaults; undefined without the option. */
export function nativeOverlays(options: ResolvedOptions): readonly NativeOverlay[] | undefined {
  const { overlays, channels } = options;
  if (overlays === undefined) return undefined;
  return resolveOverlays(overlays, ["default", ...Object.keys(channels)]);
}

/** Drops keys that are present with the value `undefined`, which mean "the default". */
function given<T extends object>(options: T): T {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as T;
}

/**
 * Fills in defaults and checks every option.
 *
 * @throws FoundationError `invalid_options` with the broken relation and the nearest known key;
 *   `insecure_bind` and `insecure_dial` for addresses off loopback without a secret
 */
export function resolveOptions(options: FoundationOptions): ResolvedOptions {
  checkKeys("the options of Foundation.start", options, KNOWN_KEYS);
  const name = options.name ?? `node-${Math.random().toString(36).slice(2, 10)}`;
  const { secret: _secret, ...rest } = given(options);
  const secrets = readSecrets(options);
  const resolved: ResolvedOptions = { ...FOUNDATION_DEFAULTS, ...rest, secrets, name };
  checkKinds(resolved);
  for (const [key, [min, max]] of Object.entries(NUMBER_RANGES)) {
    checkInteger(key, Reflect.get(resolved, key), min, max);
  }
  for (const [key, known] of Object.entries(WORDS)) {
    checkWord(key, Reflect.get(resolved, key), known);
  }
  checkRelations(resolved);
  checkNames(resolved);
  checkSecurity(resolved);
  nativeOverlays(resolved);
  checkAddresses(resolved);
  return resolved;
}

/** The options in the form that the native core reads. */
export function toNativeOptions(options: ResolvedOptions): string {
  const channels = Object.entries(options.channels).map(([name, channel]) => ({
    name,
    ...CHANNEL_DEFAULTS,
    ...given(channel),
  }));
  const { arenaBytesMax: _arena, drainBudgetMs: _drain, kernelCore: _core, ...rest } = options;
  const { protocolVersions, lifeStart, overlays: _overlays, relay, linkIdleMs, ...native } = rest;
  const all = nativeOverlays(options);
  const overlays = all === undefined ? undefined : { overlays: all, relay, linkIdleMs };
  return JSON.stringify({ ...native, channels, overlays, versions: protocolVersions, lifeStart });
}
