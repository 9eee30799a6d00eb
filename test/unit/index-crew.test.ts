import { afterEach, describe, expect, test } from "vitest";
import { Collector } from "../../dist/ts/cli/index/collector.js";
import { Crew } from "../../dist/ts/cli/index/crew.js";
import { type IndexFile, IndexWorker } from "../../dist/ts/cli/index/index-worker.js";
import {
  COORDINATOR_NAME,
  encodeFileMessage,
  HANDLERS,
  INDEX_CHANNELS,
  isFileCrash,
} from "../../dist/ts/cli/index/messages.js";
import { indexSource } from "../../dist/ts/cli/index/parse.js";
import { Foundation, type FoundationNode } from "../../dist/ts/index.js";

const nodes: FoundationNode[] = [];

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.leave();
});

async function start(name: string, ...seeds: string[]): Promise<FoundationNode> {
  const node = await Foundation.start({ name, seeds, channels: INDEX_CHANNELS });
  nodes.push(node);
  return node;
}

/** A busy machine may take long; a broken one takes for ever. Unit: ms. */
const POLL = { timeout: 20_000 };
const CONTENT = Buffer.from("export const a = 1;");

/** A coordinator with one worker that gets each file once, as long as its parser lives. */
class Stage {
  readonly done: string[] = [];
  readonly downs: unknown[] = [];
  readonly givenUp: string[] = [];
  readonly waiting: string[];
  readonly crew: Promise<Crew>;
  collapsed = 0;
  /** Called with each result; what it throws crashes the collector. */
  onResult = (_path: string): void => {};

  constructor(coordinator: FoundationNode, paths: readonly string[]) {
    this.waiting = [...paths];
    const collector = new Collector(coordinator.beam.processes, (message) => {
      const { path } = (message as { record: { path: string } }).record;
      this.onResult(path);
      this.done.push(path);
    });
    coordinator.handle(HANDLERS.result, (message, { from }) => collector.add(message, from));
    this.crew = Crew.start({
      node: coordinator,
      collector,
      feed: async (worker) => {
        for (let path = this.waiting.shift(); path !== undefined; path = this.waiting.shift()) {
          const bytes = encodeFileMessage({ fileId: 7, path, content: CONTENT });
          coordinator.send({ node: worker, name: HANDLERS.file }, bytes, { channel: "bulk" });
          if (path.startsWith("bad")) return;
        }
      },
      onUp: () => {},
      onDown: (_worker, reason) => this.downs.push(reason),
      onGivenUp: (worker) => this.givenUp.push(worker),
      onCollapse: () => this.collapsed++,
    });
  }
}

async function stage(paths: readonly string[], index?: IndexFile): Promise<Stage> {
  const coordinator = await start(COORDINATOR_NAME);
  const worker = await start("w1", coordinator.address);
  await coordinator.awaitReady({ minimumMembers: 2 });
  await worker.awaitReady({ minimumMembers: 2 });
  new IndexWorker(worker, index);
  return new Stage(coordinator, paths);
}

const failing: IndexFile = (path, content) => {
  if (path.startsWith("bad")) throw new Error(`no way through ${path}`);
  return indexSource(path, content);
};

describe("the crew of a run", () => {
  test("starts a new parser for one that crashed, which names the file", async () => {
    const { crew, done, downs } = await stage(["a.js", "bad.js", "b.js", "c.js"], failing);
    await (await crew).add("w1");
    await expect.poll(() => done, POLL).toEqual(["a.js", "b.js", "c.js"]);
    expect(downs).toMatchObject([{ kind: "file-crash", fileId: 7 }]);
    expect(isFileCrash(downs[0])).toBe(true);
    // The parser and, with it, its feeder.
    expect((await crew).figures()).toEqual({
      supervisors: 2,
      parsers: 2,
      feeders: 2,
      collectors: 1,
      restarts: 2,
      parserCrashes: 1,
      nodeLosses: 0,
    });
    await (await crew).stop();
  });

  test("gives up a worker whose parser does nothing but crash", async () => {
    const paths = Array.from({ length: 100 }, (_, number) => `bad-${number}.js`);
    const { crew, givenUp, downs, waiting } = await stage(paths, failing);
    await (await crew).add("w1");
    await expect.poll(() => givenUp, POLL).toEqual(["w1"]);
    expect((await crew).figures().parserCrashes).toBe(downs.length);
    expect(waiting).toHaveLength(100 - downs.length);
    await (await crew).stop();
  });

  test("hears of a lost node by the DOWN of its parser", async () => {
    const { crew, downs, givenUp } = await stage([]);
    await (await crew).add("w1");
    (await crew).drop("w1");
    await nodes.pop()?.leave();
    await expect.poll(() => givenUp, POLL).toEqual(["w1"]);
    expect(downs).toHaveLength(1);
    expect((await crew).figures()).toMatchObject({ parsers: 1 });
    await (await crew).stop();
  });

  test("loses no result with a collector that crashes", async () => {
    const scene = await stage(["a.js", "b.js", "c.js"]);
    nodes[0]?.beam.processes.on("crashed", () => {});
    let failures = 1;
    scene.onResult = (path) => {
      if (path === "b.js" && failures-- > 0) throw new Error("stumbled");
    };
    const crew = await scene.crew;
    await crew.add("w1");
    await expect.poll(() => scene.done, POLL).toEqual(["a.js", "b.js", "c.js"]);
    expect(crew.figures()).toMatchObject({ collectors: 2, restarts: 1 });
    expect(scene.collapsed).toBe(0);
    await crew.stop();
  });

  test("collapses if no collector lasts", async () => {
    const scene = await stage(["a.js"]);
    nodes[0]?.beam.processes.on("crashed", () => {});
    scene.onResult = () => {
      throw new Error("never");
    };
    await (await scene.crew).add("w1");
    await expect.poll(() => scene.collapsed, POLL).toBe(1);
    expect(scene.done).toEqual([]);
  });
});
