import { describe, expect, test } from "vitest";
import { type LimitedReport, OffHeapWatch, StallWatch } from "../../ts/beam/limits.ts";

/** An isolate that answers when the test says so. */
class FakeIsolate {
  requests = 0;
  answered = 0;
  wakes = 0;
  externalBytes = 0;

  interrupt(): number {
    return ++this.requests;
  }

  takeReport(request: number): LimitedReport | undefined {
    if (this.answered < request) return undefined;
    return { stack: `stack ${request}`, externalBytes: this.externalBytes };
  }

  /** It runs JavaScript, and with it answers what it was asked. */
  run(externalBytes = this.externalBytes): void {
    this.externalBytes = externalBytes;
    this.answered = this.requests;
  }
}

describe("StallWatch", () => {
  test("tells of a stall once, as soon as the stack is known", () => {
    const isolate = new FakeIsolate();
    const watch = new StallWatch(100, isolate);
    expect(watch.look(99)).toBeUndefined();
    expect(isolate.requests).toBe(0);
    expect(watch.look(109)).toBeUndefined();
    isolate.run();
    expect(watch.look(119)).toEqual({ runningMs: 119, stack: "stack 1" });
    expect(watch.look(129)).toBeUndefined();
    expect(isolate.requests).toBe(1);
  });

  test("tells of the next one, too, be it seen late", () => {
    const isolate = new FakeIsolate();
    const watch = new StallWatch(100, isolate);
    watch.look(500);
    isolate.run();
    expect(watch.look(510)?.stack).toBe("stack 1");
    watch.look(150);
    isolate.run();
    expect(watch.look(160)?.stack).toBe("stack 2");
    expect(watch.look(0)).toBeUndefined();
  });

  test("does not wait for who is in a native call", () => {
    const watch = new StallWatch(100, new FakeIsolate());
    expect(watch.look(290)).toBeUndefined();
    expect(watch.look(489)).toBeUndefined();
    expect(watch.look(490)).toEqual({ runningMs: 490, stack: "" });
  });

  test("forgets who came back while it was asked", () => {
    const isolate = new FakeIsolate();
    const watch = new StallWatch(100, isolate);
    watch.look(110);
    isolate.run();
    expect(watch.look(3)).toBeUndefined();
    expect(watch.look(90)).toBeUndefined();
  });
});

describe("OffHeapWatch", () => {
  /** An isolate that waits, and runs where it is woken. */
  class Waiting extends FakeIsolate {
    readonly watch: OffHeapWatch;

    constructor(limitBytes: number) {
      super();
      this.watch = new OffHeapWatch(limitBytes, this, () => this.wakes++);
    }

    look(): number | undefined {
      const { wakes } = this;
      const found = this.watch.look(0);
      if (this.wakes > wakes) this.run();
      return found;
    }

    lookUntilQuiet(): number {
      for (let looks = 0; looks < 20; looks++) expect(this.look()).toBeUndefined();
      return this.wakes;
    }
  }

  test("finds a growth beyond the limit, of who runs without end", () => {
    const isolate = new Waiting(100);
    isolate.watch.look(5);
    isolate.run(60);
    expect(isolate.watch.look(15)).toBeUndefined();
    isolate.run(101);
    expect(isolate.watch.look(25)).toBe(101);
    expect(isolate.wakes).toBe(0);
  });

  test("wakes a loop that waits twice, and lets it sleep then, with a request under way", () => {
    const isolate = new Waiting(100);
    expect(isolate.lookUntilQuiet()).toBe(2);
    expect(isolate.lookUntilQuiet()).toBe(2);
    expect(isolate.requests).toBe(isolate.answered + 1);
  });

  test("wakes it again once it has run, and finds what it took after its answer", () => {
    const isolate = new Waiting(100);
    expect(isolate.lookUntilQuiet()).toBe(2);
    isolate.run(50); // the answer comes from the beginning of its turn
    expect(isolate.watch.look(0)).toBeUndefined();
    expect(isolate.wakes).toBe(3);
    isolate.run(200);
    expect(isolate.look()).toBe(200);
  });
});
