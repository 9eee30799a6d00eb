import { type CustomOptions, Providers } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import { describeProvider, ProviderRun, SELF } from "../integration/discovery/provider-contract.ts";

/** A source of an application, for both ways to have one. */
class Source {
  addresses: readonly unknown[] = [];
  failure: Error | undefined;
  isHanging = false;
  readonly names: string[] = [];

  async ask(): Promise<never> {
    if (this.isHanging) await new Promise(() => {});
    if (this.failure !== undefined) throw this.failure;
    return this.addresses as never;
  }

  faults() {
    return {
      failing: {
        begin: async () => {
          this.failure = new Error("the table is locked");
        },
        end: async () => {
          this.failure = undefined;
        },
      },
      poison: async () => {
        this.addresses = ["10.1.0.1:7000", "10.1.0.2:7000", "\0", 7, null, { address: "x:1" }];
      },
    };
  }
}

const asked = new Source();
describeProvider(
  "custom function",
  {
    isComplete: true,
    provider: () => Providers.custom({ ask: async () => asked.ask(), pollMs: 10, timeoutMs: 100 }),
    publish: async (addresses) => {
      asked.addresses = addresses;
    },
    close: async () => {},
  },
  {
    ...asked.faults(),
    hanging: {
      begin: async () => {
        asked.isHanging = true;
      },
      end: async () => {
        asked.isHanging = false;
      },
    },
  },
);

const telling = new Source();
describeProvider(
  "custom iterator",
  {
    isComplete: true,
    provider: () =>
      Providers.custom({
        kind: "table",
        async *candidates({ self, signal }) {
          telling.names.push(self.name);
          while (!signal.aborted) {
            yield await telling.ask();
            await new Promise((resolve) => setImmediate(resolve));
          }
        },
        close: async () => void telling.names.splice(0),
      }),
    publish: async (addresses) => {
      telling.addresses = addresses;
    },
    close: async () => {},
  },
  { ...telling.faults(), announced: async () => telling.names },
);

describe("a source of an application's own", () => {
  const runs: ProviderRun[] = [];
  afterEach(async () => {
    await Promise.all(runs.splice(0).map(async (run) => run.abort()));
  });

  function follow(options: CustomOptions, clock = new ManualClock()): ProviderRun {
    const run = new ProviderRun(Providers.custom(options), { clock });
    runs.push(run);
    return run;
  }

  test("what is wrong in its options is refused at once", () => {
    const ask = (): never[] => [];
    const candidates = async function* (): AsyncGenerator<never[]> {};
    const wrong: unknown[] = [{}, { ask, candidates }, { ask: 7 }, { ask, kind: "" }];
    const more = [
      { ask, label: "a\nb" },
      { ask, close: 1 },
      { ask, pollMs: 0 },
      { ask, port: -1 },
    ];
    for (const options of [...wrong, ...more]) {
      expect(() => Providers.custom(options as CustomOptions)).toThrow(
        expect.objectContaining({ code: "invalid_options" }),
      );
    }
    expect(Providers.custom({ ask, kind: "database" }).label).toBe("database");
  });

  test("a set may say that it is not complete, and that somebody is about to end", async () => {
    const candidate = { address: "10.1.0.1:7000", name: "one", isDraining: true };
    const run = follow({
      ask: ({ self }) => {
        expect(self).toBe(SELF);
        return { candidates: [candidate], isComplete: false };
      },
    });
    await run.until((all) => all.length === 1);
    expect(run.sets).toEqual([{ candidates: [candidate], isComplete: false }]);
  });

  test("answers that are none, and what a function throws at once, are errors", async () => {
    const answers = [undefined, "10.1.0.1", {}, { candidates: [], isComplete: 1 }];
    for (const answer of answers) {
      const run = follow({ ask: () => answer as never });
      await run.ended();
      expect(run.failure).toMatchObject({ code: "discovery_failed" });
    }
    const thrower = (): never => {
      throw new RangeError("no table");
    };
    for (const options of [{ ask: thrower }, { candidates: thrower }]) {
      const run = follow({ label: "the table", ...options });
      await run.ended();
      expect(run.failure).toMatchObject({
        code: "discovery_failed",
        message: "the table: no table",
      });
    }
  });

  test("one that is late is told so by its signal, and no timer stays", async () => {
    const clock = new ManualClock();
    let told: AbortSignal | undefined;
    const run = follow(
      {
        ask: async ({ signal }) => {
          told = signal;
          return new Promise(() => {});
        },
      },
      clock,
    );
    await clock.advanceAsync(10_000);
    await run.ended();
    expect(String(run.failure)).toMatch(/no answer within 10000 ms/);
    expect(told?.aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test("an abort waits for no iterator, and returns it", async () => {
    let returned = 0;
    const iterator = {
      next: async (): Promise<IteratorResult<never>> => new Promise(() => {}),
      return: async (): Promise<IteratorResult<never>> => {
        returned += 1;
        throw new Error("nobody hears this");
      },
    };
    const run = follow({ candidates: () => ({ [Symbol.asyncIterator]: () => iterator }) });
    await run.abort();
    expect([run.failure, returned]).toEqual([undefined, 1]);
  });
});
