import { afterEach, expect, test } from "vitest";
import {
  attempt,
  type EventLog,
  Foundation,
  type FoundationNode,
  type Pid,
} from "../../dist/ts/index.js";
import { emptyLog } from "./event-log-stub.ts";

let node: FoundationNode | undefined;
afterEach(async () => {
  await node?.leave().catch(() => {});
  node = undefined;
});

/** A log that takes everything and fails as it closes. */
function failingAtClose(): EventLog {
  return {
    ...emptyLog(),
    close: async () => {
      throw new Error("the disk is gone");
    },
  };
}

test("a node leaves although the log of its events fails as it closes", async () => {
  node = await Foundation.start({ events: { log: failingAtClose() } });
  const { processes } = node.beam;
  const pid = processes.spawn(() => {});
  await expect(node.leave()).rejects.toThrow("the disk is gone");
  expect(Foundation.node()).toBeUndefined();
  expect(processes.isAlive(pid)).toBe(false);
  expect(() => node?.telemetry.status()).toThrow(
    expect.objectContaining({ code: "service_unavailable" }),
  );
});

test("an isolate that lets go of its node logs what the log of events failed with", async () => {
  const texts: string[] = [];
  const log = { log: (_level: string, text: string) => void texts.push(text) };
  node = await Foundation.start({ events: { log: failingAtClose() }, log });
  const told = new Promise<void>((resolve) => {
    log.log = (_level, text) => {
      texts.push(text);
      resolve();
    };
  });
  node.detach();
  await told;
  expect(texts).toEqual(["the log of events could not be closed"]);
});

test("services that were given up are unavailable: nothing waits for them any more", async () => {
  node = await Foundation.start();
  const { beam, events, services } = node;
  const supervisor = services.supervisor as Pid;
  const ended = beam.processes.exitOf(supervisor);
  const kill = async (): Promise<boolean> => {
    const children = await beam.supervisors.whichChildren(supervisor);
    beam.processes.exit(children.find(({ id }) => id === "events")?.pid as Pid, "kill");
    return true;
  };
  while (await kill().catch(() => false));
  await ended;
  const event = events.newEvent("lost", 1);
  const refused = { code: "service_unavailable", numericCode: 3000 };
  expect(attempt(() => events.store(event))).toMatchObject({ ok: false, error: refused });
  await expect(events.record(event)).rejects.toMatchObject(refused);
  expect(events.pending).toBe(0);
  const { status, services: each } = services.health();
  expect(status).toBe("degraded");
  expect(Object.values(each).map((one) => one.status)).not.toContain("running");
  await node.leave();
  expect(Foundation.node()).toBeUndefined();
});
