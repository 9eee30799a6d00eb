import { checkKeys, checkKind } from "../../../base/option-checks.ts";
import { answerOf, checkPeriod, discoveryFailed, unlessAborted, untilAborted } from "../asking.ts";
import {
  checkEntryOptions,
  ENTRY_KEYS,
  type EntryOptions,
  isName,
  readEntries,
} from "../entries.ts";
import {
  type Candidate,
  type CandidateSet,
  type DiscoveryProvider,
  type ProviderContext,
  polled,
} from "../provider.ts";

/**
 * What a source of an application tells: all addresses that there are, like `10.0.0.7:7000`, or a
 * set of them that says whether it is complete.
 */
export type CustomAnswer = readonly (string | Candidate)[] | CandidateSet;

/** A source of an application: a function that is asked, or one that tells. */
export interface CustomOptions extends EntryOptions {
  /** What kind of source it is, like `database`. Default: `custom`. */
  readonly kind?: string;
  /** The source among others of its kind, without secrets. Default: its kind. */
  readonly label?: string;
  /** Asked again and again. Default: none; either this or `candidates` has to be there. */
  readonly ask?: (context: ProviderContext) => CustomAnswer | Promise<CustomAnswer>;
  /** Tells whenever there is news, until the signal is aborted. Default: none, `ask` is asked. */
  readonly candidates?: (context: ProviderContext) => AsyncIterable<CustomAnswer>;
  /** Takes back what it told the source of this node. Default: nothing. */
  readonly close?: () => Promise<void>;
  /** Pause between two questions. Unit: ms. Default: 5,000. */
  readonly pollMs?: number;
  /** Longest time that an answer of `ask` may take. Unit: ms. Default: 10,000. */
  readonly timeoutMs?: number;
}

/** How a source of an application is asked unless the options say otherwise. */
export const CUSTOM_DEFAULTS = Object.freeze({
  pollMs: 5_000, // as DNS
  timeoutMs: 10_000, // nothing is known of it: a slow request over HTTP fits in
});

const KEYS = [...ENTRY_KEYS, "kind", "label", "ask", "candidates", "close"];

/**
 * A source of the application's own. Its answers are checked as those of any other: what no node
 * can be reached by is left out, and what it throws is an error of the source. An abort waits for
 * nothing that it does.
 *
 * @throws FoundationError `invalid_options`
 */
export function customProvider(options: CustomOptions): DiscoveryProvider {
  const where = "Providers.custom";
  checkKeys(where, options, [...KEYS, ...Object.keys(CUSTOM_DEFAULTS)]);
  checkEntryOptions(where, options);
  const { kind = "custom", label = kind, ask, candidates, close } = options;
  const { pollMs, timeoutMs } = { ...CUSTOM_DEFAULTS, ...options };
  checkKind(`kind of ${where}`, isName(kind), "a name");
  checkKind(`label of ${where}`, isName(label), "a name");
  checkPeriod(`pollMs of ${where}`, pollMs);
  checkPeriod(`timeoutMs of ${where}`, timeoutMs);
  const isOne = (ask === undefined) !== (candidates === undefined);
  checkKind(where, isOne, "told either ask or candidates");
  checkKind(`ask of ${where}`, typeof (ask ?? candidates) === "function", "a function");
  checkKind(`close of ${where}`, close === undefined || isFunction(close), "a function");
  const plan = { label, options };
  const sets = (context: ProviderContext): AsyncIterable<CandidateSet> =>
    candidates === undefined
      ? polled(context, pollMs, async () => {
          const question = { what: label, timeoutMs };
          const given = await answerOf(context, question, async (signal) => {
            return ask?.({ ...context, signal });
          });
          return setOf(given, plan, context);
        })
      : told(candidates, plan, context);
  return {
    kind,
    label,
    announces: close !== undefined, // what it takes back, it has told
    candidates: (context) => untilAborted(context, sets(context)),
    ...(close !== undefined && { close: async () => close() }),
  };
}

function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

interface CustomPlan {
  readonly label: string;
  readonly options: EntryOptions;
}

function setOf(
  answer: unknown,
  { label, options }: CustomPlan,
  context: ProviderContext,
): CandidateSet {
  if (Array.isArray(answer)) return readEntries(answer, options, context);
  const { candidates, isComplete } = (answer ?? {}) as Partial<CandidateSet>;
  if (!Array.isArray(candidates) || typeof isComplete !== "boolean") {
    const text = "an answer must be a list, or have candidates and isComplete";
    throw discoveryFailed(label, new TypeError(text));
  }
  const set = readEntries(candidates, options, context);
  return { ...set, isComplete: isComplete && set.isComplete };
}

/** What an iterator of the application tells; at an abort it is left to itself. */
async function* told(
  tell: (context: ProviderContext) => AsyncIterable<CustomAnswer>,
  plan: CustomPlan,
  context: ProviderContext,
): AsyncGenerator<CandidateSet> {
  const { signal } = context;
  let iterator: AsyncIterator<unknown> | undefined;
  try {
    iterator = tell(context)[Symbol.asyncIterator]();
    while (!signal.aborted) {
      const next = await unlessAborted(signal, iterator.next());
      if (next === undefined || next.done === true) return;
      yield setOf(next.value, plan, context);
    }
  } catch (thrown) {
    throw discoveryFailed(plan.label, thrown);
  } finally {
    // Not awaited: it may be in the middle of what never ends. What it throws concerns nobody.
    iterator?.return?.().then(undefined, () => {});
  }
}
