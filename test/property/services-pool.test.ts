import fc from "fast-check";
import { expect, test } from "vitest";
import { ManualClock } from "../../ts/base/manual-clock.ts";
import { type Lease, Pool } from "../../ts/services/infrastructure/pools/pool.ts";
import { planPool } from "../../ts/services/infrastructure/pools/pool-options.ts";

interface Worker {
  readonly number: number;
  isSound: boolean;
}

const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Workers that are made now or a little later, or not at all, and what became of them. */
class Factory {
  readonly alive = new Set<Worker>();
  readonly gone = new Map<Worker, (reason: unknown) => void>();
  failures = 0;
  #made = 0;

  create = async (): Promise<Worker> => {
    await Promise.resolve();
    if (this.failures > 0) {
      this.failures -= 1;
      throw new Error("no route");
    }
    const worker = { number: ++this.#made, isSound: true };
    this.alive.add(worker);
    return worker;
  };
  destroy = (worker: Worker): void => {
    if (!this.alive.delete(worker)) throw new Error(`worker ${worker.number} was ended twice`);
  };
  onExit = (worker: Worker, gone: (reason: unknown) => void): void => {
    this.gone.set(worker, gone);
  };

  /** One of the living, by any number, ends by itself. */
  crash(pick: number): void {
    const worker = [...this.alive][pick % Math.max(1, this.alive.size)];
    if (worker === undefined) return;
    this.alive.delete(worker);
    this.gone.get(worker)?.("crash");
  }
}

const step = fc.record({
  kind: fc.constantFrom("take", "take", "give", "give", "break", "crash", "spoil", "fail", "wait"),
  pick: fc.nat(50),
});

test("a pool keeps its bounds and its order, whatever becomes of its workers", async () => {
  const sizes = fc.record({
    size: fc.integer({ min: 0, max: 3 }),
    maxOverflow: fc.integer({ min: 1, max: 2 }),
    strategy: fc.constantFrom("lifo", "fifo" as const),
    isChecking: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(sizes, fc.array(step, { maxLength: 60 }), async (options, steps) => {
      const { isChecking, ...plan } = options;
      const clock = new ManualClock();
      const factory = new Factory();
      const validate = (worker: Worker): boolean => worker.isSound;
      const workerModule = { ...factory, ...(isChecking && { validate }) };
      // The methods are fields, so the copy shares the state of the factory.
      const pool = new Pool(planPool({ ...plan, workerModule }), clock);
      await pool.start();
      const held: Lease<Worker>[] = [];
      const order: number[] = [];
      let [asked, ended] = [0, 0];
      const take = (): void => {
        const number = asked++;
        pool.checkOut(number % 4 === 0 ? { timeoutMs: 40 } : {}).then(
          (lease) => {
            expect(held.map(({ worker }) => worker)).not.toContain(lease.worker);
            held.push(lease);
            order.push(number);
            ended += 1;
          },
          () => (ended += 1),
        );
      };
      const check = (): void => {
        const { status } = pool;
        expect(status.inUse).toBe(held.length);
        expect(status.waiting).toBe(asked - ended);
        expect(status.workers).toBeLessThanOrEqual(plan.size + plan.maxOverflow);
        const inUse = held.filter(({ worker }) => factory.alive.has(worker)).length;
        expect(factory.alive.size).toBe(status.available + inUse);
        if (status.waiting > 0 && factory.failures === 0) expect(status.available).toBe(0);
      };
      for (const { kind, pick } of steps) {
        if (kind === "take") take();
        else if (kind === "give" || kind === "break") {
          const [lease] = held.splice(pick % Math.max(1, held.length), 1);
          if (lease !== undefined) pool.checkIn(lease, kind === "break");
        } else if (kind === "crash") factory.crash(pick);
        else if (kind === "spoil")
          for (const worker of factory.alive) worker.isSound = pick % 2 > 0;
        else if (kind === "fail") factory.failures += 1;
        else await clock.advanceAsync(pick);
        await settled();
        check();
      }
      factory.failures = 0;
      for (let turn = 0; turn < 200 && (held.length > 0 || pool.status.waiting > 0); turn++) {
        const lease = held.shift();
        if (lease !== undefined) pool.checkIn(lease);
        await clock.advanceAsync(10_000);
        check();
      }
      await clock.advanceAsync(20_000);
      expect([asked - ended, held.length]).toEqual([0, 0]);
      expect(order).toEqual([...order].sort((a, b) => a - b));
      expect(pool.status).toMatchObject({ workers: plan.size, available: plan.size, inUse: 0 });
      await pool.stop(0);
      expect(factory.alive.size).toBe(0);
    }),
  );
});
