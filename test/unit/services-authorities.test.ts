import { describe, expect, test } from "vitest";
import { FoundationError } from "../../dist/ts/base/errors.js";
import type { Self } from "../../dist/ts/beam/process-types.js";
import { AuthorityLink } from "../../dist/ts/services/authority-link.js";
import { ConfigAuthority } from "../../dist/ts/services/config/config-authority.js";
import { ConfigCore } from "../../dist/ts/services/config/config-core.js";
import { RegistryAuthority } from "../../dist/ts/services/registries/registry-authority.js";
import { RegistryCore } from "../../dist/ts/services/registries/registry-core.js";
import { ServiceSlot } from "../../dist/ts/services/service-slot.js";
import { Scene, settled } from "./beam-scene.ts";

const RATE = ["ai", "planning", "samplingRate"];

describe("an authority whose service is being restarted", () => {
  test("refuses changes of the configuration, and lives on", async () => {
    const { processes, crashes } = new Scene();
    const slot = new ServiceSlot<ConfigCore>("config", 5000);
    const core = new ConfigCore({ host: processes });
    slot.install(core);
    const pid = await processes.start(ConfigAuthority, { args: [slot] });
    slot.remove(core);
    for (const request of [
      { op: "update", path: RATE, value: 0.5 },
      { op: "reset", to: "defaults" },
    ]) {
      expect(await processes.call(pid, request)).toMatchObject({ error: { numericCode: 5000 } });
    }
    const inbox: unknown[] = [];
    const follower = processes.spawn((message: unknown) => void inbox.push(message));
    const receipt = await processes.call(pid, { op: "follow", follower });
    expect(receipt).toMatchObject({ config: core.config, error: undefined });
    const next = new ConfigCore({ host: processes });
    next.adopt(core);
    slot.install(next);
    await processes.call(pid, { op: "update", path: RATE, value: 0.5 });
    await settled();
    expect(inbox).toMatchObject([{ notification: { value: 0.5 } }]);
    expect(crashes).toEqual([]);
  });

  test("refuses changes of the registry, tells what it held, and lives on", async () => {
    const { processes, crashes } = new Scene();
    const slot = new ServiceSlot<RegistryCore>("processRegistry", 28_300);
    const core = new RegistryCore(processes, {});
    slot.install(core);
    const follower = processes.spawn(() => {});
    core.register("shop", "till", follower, {});
    const pid = await processes.start(RegistryAuthority, { args: [{ slot, processes }] });
    slot.remove(core);
    const request = { op: "unregister", namespace: "shop", name: "till" };
    expect(await processes.call(pid, request)).toMatchObject({ error: { numericCode: 28_300 } });
    const snapshot = await processes.call(pid, { op: "follow", follower });
    expect(snapshot).toMatchObject({ entries: [{ name: "till" }] });
    processes.exit(follower, "kill");
    await settled();
    expect([processes.isAlive(pid), crashes]).toEqual([true, []]);
  });
});

test("a follower has one monitor of an authority, however often following fails", async () => {
  const { processes } = new Scene();
  const authorities = [processes.spawn(() => {}), processes.spawn(() => {})];
  const [first, second] = authorities;
  let found = first;
  const watched: unknown[] = [];
  const self = {
    pid: first,
    monitor: (pid: unknown) => watched.push(pid),
    demonitor: (ref: number) => watched.splice(ref - 1, 1),
  };
  const failing = {
    lookup: async () => found,
    call: async () => Promise.reject(new FoundationError("timeout", "too late")),
    sendAfter: () => {},
  };
  const link = new AuthorityLink("name", failing as never, self as unknown as Self);
  for (let round = 0; round < 3; round++) await link.follow(() => {});
  expect(watched).toEqual([first]);
  found = second;
  for (let round = 0; round < 3; round++) await link.follow(() => {});
  expect(watched).toEqual([second]);
});
