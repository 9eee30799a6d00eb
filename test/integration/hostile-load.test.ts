import { createHash } from "node:crypto";
import type { FoundationNode } from "foundation-runtime";
import { afterEach, expect, test } from "vitest";
import { Scene } from "./hostile-scene.ts";
import { LocalNodes, sendAll } from "./local-nodes.ts";
import { SeededRandom } from "./seeded-random.ts";

const MIB = 1 << 20;
const MESSAGE_BYTES = 16 * MIB;
const SENDERS = 64;
/** Four of the messages at once: the other sixty wait for their turn. */
const RECEIVE_BYTES_MAX = 4 * (MESSAGE_BYTES + 64);

let scene: Scene;
const nodes = new LocalNodes();
afterEach(async () => {
  await nodes.leaveAll();
  await scene.close();
});

test("64 senders of 16 MiB each are all heard, in the memory of four", async () => {
  scene = await Scene.open({}, { receiveBytesMax: RECEIVE_BYTES_MAX });
  await scene.victim.handle("large", "digest");
  await scene.begin();
  const senders: FoundationNode[] = [];
  for (let index = 0; index < SENDERS; index++) {
    const name = `sender-${index}`;
    // Of the process, the first one's: each message waits in it until it has gone.
    const sender = await nodes.start({ name, arenaBytesMax: 1.5 * 1024 * MIB });
    await sender.join(scene.address);
    senders.push(sender);
  }
  const digests = new Map<string, string>();
  const payload = new SeededRandom(SENDERS).bytes(MESSAGE_BYTES);
  await Promise.all(
    senders.map(async (sender, index) => {
      new DataView(payload.buffer).setUint32(0, index);
      digests.set(sender.name, createHash("sha256").update(payload).digest("base64"));
      await sendAll(sender, { node: "victim", name: "large" }, [payload]);
    }),
  );
  const noted = async (): Promise<number> => (await scene.victim.notes("large")).length;
  await expect.poll(noted, { timeout: 60_000 }).toBe(SENDERS);
  for (const { from, digest } of await scene.victim.notes("large")) {
    expect(digest, from).toBe(digests.get(from));
    digests.delete(from);
  }
  expect([...digests.keys()]).toEqual([]);
  const { links, slabs } = await scene.victim.metrics();
  expect(links).toMatchObject({ exhausted: 0, reassemblyTimeouts: 0, orphanChunks: 0 });
  expect(slabs).toMatchObject({ refused: 0, doubleReleases: 0, staleUses: 0 });
  await scene.expectUnharmed(RECEIVE_BYTES_MAX);
});
