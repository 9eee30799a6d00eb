import { describe, expect, test } from "vitest";
import { PlacementRule } from "../../dist/ts/beam/ecosystems/placement.js";
import { type EcosystemCluster, Places } from "../../dist/ts/beam/ecosystems/places.js";
import type { PlaceCandidate } from "../../dist/ts/index.js";
import { settled } from "./beam-scene.ts";

function at(node: string, workers: number, busyCores = 0, cores = 4): PlaceCandidate {
  return { node, workers, busyCores, cores };
}

describe("a worker is placed", () => {
  test("`spread`: where there are the fewest", () => {
    const rule = new PlacementRule("spread");
    expect(rule.choose([at("a", 2), at("b", 1), at("c", 1)])).toBe("b");
  });

  test("`roundRobin`: at each in its turn, whoever comes or goes", () => {
    const rule = new PlacementRule("roundRobin");
    const all = [at("a", 5), at("b", 0), at("c", 0)];
    const turns = [rule.choose(all), rule.choose(all), rule.choose(all), rule.choose(all)];
    expect(turns).toEqual(["a", "b", "c", "a"]);
    expect(rule.choose([at("a", 5), at("c", 0)])).toBe("c");
  });

  test("`leastLoaded`: where workers and busy cores are few for the cores there are", () => {
    const rule = new PlacementRule("leastLoaded");
    expect(rule.choose([at("a", 1, 3), at("b", 2, 0.5)])).toBe("b");
    expect(rule.choose([at("a", 1, 1, 2), at("b", 3, 1, 16)])).toBe("b");
  });

  test("where a function says, which has to name one that it was given", () => {
    const last = new PlacementRule((nodes) => nodes.at(-1)?.node ?? "");
    expect(last.choose([at("a", 0), at("b", 0)])).toBe("b");
    const failed = expect.objectContaining({ code: "placement_failed" });
    expect(() => new PlacementRule(() => "z").choose([at("a", 0)])).toThrow(failed);
    const broken = new PlacementRule(() => {
      throw new Error("no idea");
    });
    expect(() => broken.choose([at("a", 0)])).toThrow(
      expect.objectContaining({ cause: new Error("no idea") }),
    );
  });
});

describe("a worker is moved", () => {
  test("to a node that has two less than another one, until they are even", () => {
    const rule = new PlacementRule("spread");
    expect(rule.move([at("a", 3), at("b", 3), at("c", 0)])).toEqual({ from: "a", to: "c" });
    expect(rule.move([at("a", 2), at("b", 1), at("c", 1)])).toBeUndefined();
    expect(rule.move([at("a", 9)])).toBeUndefined();
  });

  test("by load only to a node that has none and little to do, and by a function never", () => {
    const rule = new PlacementRule("leastLoaded");
    expect(rule.move([at("a", 3), at("b", 1)])).toBeUndefined();
    expect(rule.move([at("a", 3), at("b", 0)])).toEqual({ from: "a", to: "b" });
    expect(rule.move([at("a", 3), at("b", 0, 4)])).toBeUndefined();
    expect(new PlacementRule(() => "b").move([at("a", 9), at("b", 0)])).toBeUndefined();
  });
});

describe("the nodes of an ecosystem", () => {
  const scene = (allowed?: readonly string[]) => {
    const offers = new Set(["a"]);
    let asked = 0;
    const state = { nowMs: 0, offers, asked: () => asked };
    const cluster: EcosystemCluster = {
      members: () => ["b", "a", "c"],
      onChange: () => () => {},
      loadOf: async (node) => {
        asked++;
        return offers.has(node) ? { cores: 4, busyCores: 1 } : undefined;
      },
      startAt: async () => Promise.reject(new Error("nobody starts anything")),
    };
    const places = new Places(cluster, "f", allowed, () => state.nowMs);
    const names = (): string[] => places.candidates(() => 0).map(({ node }) => node);
    return { ...state, state, places, names };
  };

  test("are those that offer the factory at that moment, by name", async () => {
    const { state, offers, places, names } = scene();
    await places.refresh();
    expect(names()).toEqual(["a"]);
    offers.add("b");
    offers.add("c");
    await places.refresh();
    expect(names()).toEqual(["a"]); // not asked again within 100 ms
    expect(state.asked()).toBe(3);
    state.nowMs = 100;
    await places.refresh();
    expect(names()).toEqual(["a", "b", "c"]);
    offers.delete("a");
    places.outdate();
    await places.refresh();
    expect(names()).toEqual(["b", "c"]);
    places.forget("b");
    expect(names()).toEqual(["c"]);
  });

  test("are no others than those that are named", async () => {
    const { offers, places, names } = scene(["c", "z"]);
    offers.add("c");
    await places.refresh();
    expect(names()).toEqual(["c"]);
  });

  test("are waited for, but not for ever", async () => {
    const { places } = scene();
    await expect(places.askedAgain(0, "why")).rejects.toMatchObject({
      code: "no_place",
      cause: "why",
    });
    const asked = places.askedAgain(Number.POSITIVE_INFINITY, undefined);
    await places.refresh();
    await asked;
    const closed = places.askedAgain(Number.POSITIVE_INFINITY, undefined);
    const failed = expect(closed).rejects.toMatchObject({ code: "ecosystem_closing" });
    places.close();
    await failed;
    await settled();
  });
});
