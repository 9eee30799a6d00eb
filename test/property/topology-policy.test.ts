import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judge } from "../../ts/distributed/topology/rules/judge.ts";
import { policyRules } from "../../ts/distributed/topology/topology-options.ts";
import type { TopologyInputs } from "../../ts/distributed/topology/topology-types.ts";
import type { OverlayStrategy } from "../../ts/kernel/overlay-options.ts";
import { topologyScene } from "../unit/topology-scene.ts";

const strategies: readonly OverlayStrategy[] = ["fullMesh", "hyparview", "clientServer", "static"];
const sizes = fc.integer({ min: 1, max: 40 });

const inputs: fc.Arbitrary<TopologyInputs> = fc.record({
  strategy: fc.constantFrom(...strategies),
  epoch: fc.nat(),
  isSwitching: fc.boolean(),
  members: sizes,
  servers: fc.integer({ min: 0, max: 3 }),
  actor: fc.constantFrom("a", "b"),
  churnPerMinute: fc.nat(),
  partitionsSeen: fc.nat(),
  roundTripUs: fc.constant(undefined),
  channels: fc.constant({}),
  ratesOverMs: fc.nat(),
});

describe("the rules", () => {
  const rules = { ...policyRules(), servers: ["s"] };

  test("decide alike when they are asked alike, and nothing but size and servers counts", () => {
    fc.assert(
      fc.property(inputs, fc.nat(), fc.nat(), (given, sinceMs, other) => {
        const first = judge(given, rules, sinceMs, "a");
        const noise = { churnPerMinute: other, partitionsSeen: other, ratesOverMs: other };
        expect(judge({ ...given, ...noise }, rules, sinceMs, "a")).toEqual(first);
      }),
    );
  });

  test("never undo at once what they have just proposed", () => {
    fc.assert(
      fc.property(inputs, (measured) => {
        const given = { ...measured, isSwitching: false };
        const { proposal } = judge(given, rules, Number.POSITIVE_INFINITY, given.actor);
        const after = { ...given, strategy: proposal };
        expect(judge(after, rules, Number.POSITIVE_INFINITY, given.actor).verdict).toBe("keep");
      }),
    );
  });

  test("leave meshes and partial views alone between the two sizes", () => {
    const within = inputs.map((given) => ({
      ...given,
      members: rules.leaveBelowMembers + (given.members % 7),
      strategy: given.strategy === "clientServer" ? ("hyparview" as const) : given.strategy,
    }));
    fc.assert(
      fc.property(within, (given) => {
        expect(judge(given, rules, Number.POSITIVE_INFINITY, given.actor).verdict).toBe("keep");
      }),
    );
  });
});

type Step =
  | { readonly kind: "size"; readonly members: number; readonly hasServer: boolean }
  | { readonly kind: "hand"; readonly to: OverlayStrategy }
  | { readonly kind: "elsewhere"; readonly to: OverlayStrategy }
  | { readonly kind: "failing"; readonly isFailing: boolean }
  | { readonly kind: "time"; readonly ms: number };

const other = fc.constantFrom<OverlayStrategy>("fullMesh", "hyparview");
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant("size" as const), members: sizes, hasServer: fc.boolean() }),
  fc.record({ kind: fc.constant("time" as const), ms: fc.integer({ min: 1, max: 9_000 }) }),
  fc.record({ kind: fc.constant("hand" as const), to: other }),
  fc.record({ kind: fc.constant("elsewhere" as const), to: other }),
  fc.record({ kind: fc.constant("failing" as const), isFailing: fc.boolean() }),
);

describe("the policy", () => {
  test("never changes an overlay again, nor after others, within its dwell time", async () => {
    const dwellMs = 10_000;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const policy = { auto: true, pollMs: 700, dwellMs, servers: ["s"] };
        const { node, clock, topology } = topologyScene({ policy });
        const changes: { readonly atMs: number; readonly isPolicys: boolean }[] = [];
        const note = ({ origin }: { readonly origin: string }): void => {
          changes.push({ atMs: clock.now(), isPolicys: origin === "policy" });
        };
        topology.on("switched", note);
        topology.on("switchFailed", note);
        for (const each of steps) {
          if (each.kind === "size") {
            node.resize(each.members);
            if (each.hasServer) node.members = [...node.members, { name: "s" }];
          } else if (each.kind === "time") await clock.advanceAsync(each.ms);
          else if (each.kind === "hand") await topology.switchTopology(each.to).catch(() => {});
          else if (each.kind === "failing") {
            node.ends = async () => (each.isFailing ? "rolled_back" : "switched");
          } else {
            node.become("data", each.to);
            const { epoch } = node.overlays.get("data")!;
            const told = { overlay: "data", epoch, reason: "", outcome: "switched" as const };
            node.events.emit("overlaySwitch", told);
          }
        }
        topology.close();
        for (const [at, { atMs, isPolicys }] of changes.entries()) {
          const before = changes[at - 1];
          if (isPolicys && before !== undefined) {
            expect(atMs - before.atMs).toBeGreaterThanOrEqual(dwellMs);
          }
        }
        // Each is in the journal, with what it was made from.
        for (const record of topology.history()) {
          if (record.kind === "decision") expect(record.inputs.members).toBeGreaterThan(0);
          else if (record.origin === "policy") expect(record.rule).toBeDefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  test("comes to rest: a size that stays is answered by one change at most", async () => {
    await fc.assert(
      fc.asyncProperty(sizes, other, async (members, strategy) => {
        const policy = { auto: true, pollMs: 1_000, dwellMs: 0 };
        const { node, clock, topology } = topologyScene({ policy }, { data: strategy });
        node.resize(members);
        await clock.advanceAsync(20_000);
        topology.close();
        expect(node.asked.length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
