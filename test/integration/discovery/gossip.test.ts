import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { Providers } from "foundation-runtime";
import { afterEach, describe, expect, test } from "vitest";
import {
  PLAIN_CODEC,
  secretCodec,
} from "../../../ts/distributed/discovery/providers/gossip/libcluster-format.ts";
import { signedFormat } from "../../../ts/distributed/discovery/providers/gossip/signed-format.ts";
import { within } from "../local-nodes.ts";
import { freeUdpPort, GossipScene, sendToGroup } from "./gossip-scene.ts";
import { describeProvider, ProviderRun, SELF } from "./provider-contract.ts";

const SECRET = "a secret of these tests";
const ODD = [Buffer.alloc(0), Buffer.from([0xff, 0, 0xc3]), Buffer.alloc(9_000, 0x41)];
const named = (name: string): Buffer => PLAIN_CODEC.seal(name);

const signed = await GossipScene.open({ secret: SECRET });
const plain = await GossipScene.open({ format: "libcluster" });
const hidden = await GossipScene.open({ format: "libcluster", secret: "somepassword" });

const runs: ProviderRun[] = [];
const closes: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(runs.splice(0).map(async (run) => run.abort()));
  for (const close of closes.splice(0)) await close();
});

/** What comes while a provider listens, sent again until it was heard. */
async function keepSending(port: number, packets: () => readonly Buffer[]): Promise<void> {
  const timer = setInterval(() => void sendToGroup(port, packets()), 50);
  closes.push(() => clearInterval(timer));
}

describeProvider("gossip, signed", signed, {
  poison: async () => {
    const forged = signedFormat({
      secrets: [Buffer.from("another secret of tests")],
      self: SELF,
      clockWindowMs: 30_000,
      wallNow: Date.now,
    });
    await keepSending(signed.port, () => [...ODD, forged.seal()]);
  },
});

describeProvider("gossip, as libcluster without a secret", plain, {
  poison: async () => {
    await keepSending(plain.port, () => [...ODD, named("a@h"), named("é\n@10.0.0.1"), named("")]);
  },
});

describeProvider("gossip, as libcluster with a secret", hidden, {
  poison: async () => {
    const other = secretCodec(Buffer.from("another"));
    await keepSending(hidden.port, () => [...ODD, named("a@10.0.0.1"), other.seal("a@10.0.0.1")]);
  },
});

test("a port that cannot be had, or a network that is not there, is an error", async () => {
  const taken = createSocket("udp4").bind(0);
  await once(taken, "listening");
  closes.push(() => taken.close());
  const plans = [
    { port: taken.address().port, interfaceAddress: "127.0.0.1" },
    { port: await freeUdpPort(), interfaceAddress: "192.0.2.1" },
  ];
  for (const plan of plans) {
    const run = new ProviderRun(Providers.gossip({ ...plan, secret: SECRET }));
    await run.ended();
    expect(run.failure).toMatchObject({ code: "discovery_failed" });
  }
});

test("10,000 packets at once are bounded, and the node is heard among them", async () => {
  const scene = await GossipScene.open({ format: "libcluster" });
  closes.push(async () => scene.close());
  const run = new ProviderRun(scene.provider());
  runs.push(run);
  await scene.publish(["10.1.0.1:7000"]);
  await run.until((addresses) => addresses.includes("10.1.0.1:7000"));
  const names = (_: unknown, number: number) => named(`n@10.2.${number >> 8}.${number & 255}`);
  await sendToGroup(scene.port, Array.from({ length: 10_000 }, names));
  const before = run.sets.length;
  await run.until(() =>
    run.sets
      .slice(before)
      .flatMap((set) => set.candidates)
      .some(isOther),
  );
  expect(run.notes.get("flood")).toBeGreaterThan(0);
  expect(Math.max(...run.sets.map((set) => set.candidates.length))).toBeLessThanOrEqual(1_024);
});

function isOther({ address }: { readonly address: string }): boolean {
  return address === "10.1.0.1:7000";
}

describe("Erlang itself", () => {
  const erlang = (program: string) => {
    const child = spawn("erl", ["-noshell", "-eval", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    closes.push(() => child.kill("SIGKILL"));
    return child;
  };
  const socketOf = (port: number): string =>
    `{ok, S} = gen_udp:open(${port}, [binary, {active, false}, {reuseaddr, true}, ` +
    "{multicast_if, {127,0,0,1}}, {multicast_loop, true}, " +
    "{add_membership, {{233,252,1,32}, {127,0,0,1}}}]), ";

  test("writes heartbeats that are read here, and reads those that are written here", async () => {
    const run = new ProviderRun(plain.provider());
    runs.push(run);
    const child = erlang(
      `${socketOf(plain.port)}P = [<<"heartbeat::">>, ` +
        "term_to_binary(#{node => 'elixir@10.9.0.1'})], " +
        `F = fun F() -> gen_udp:send(S, {233,252,1,32}, ${plain.port}, P), ` +
        "case gen_udp:recv(S, 0, 1000) of " +
        '{ok, {_, _, <<"heartbeat::", B/binary>>}} -> case binary_to_term(B) of ' +
        "#{node := 'elixir@10.9.0.1'} -> F(); " +
        '#{node := N} when is_atom(N) -> io:format("~s~n", [N]), F() end; _ -> F() end end, F().',
    );
    const lines = createInterface({ input: child.stdout });
    const started = await Promise.race([
      once(child, "spawn").then(() => true),
      once(child, "error").then(() => false),
    ]);
    if (!started) return console.warn("erl is not installed: gossip with Erlang goes untested");
    const [line] = await within(once(lines, "line"), "a heartbeat that Erlang reads", 20_000);
    expect(line).toBe(SELF.name);
    await run.until((addresses) => addresses.includes("10.9.0.1:7000"));
    const all = run.sets.flatMap((set) => set.candidates);
    expect(all).toContainEqual({ address: "10.9.0.1:7000", name: "elixir@10.9.0.1" });
  });
});
