import { connect, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { BODY, ByHand, control, Message } from "./by-hand.ts";
import { LocalNodes, nextEvent } from "./local-nodes.ts";
import { Pieces } from "./pieces.ts";

const SECRET = "a secret that two programs share";
const CLUSTER = "by-hand";

const nodes = new LocalNodes();
let socket: Socket | undefined;
afterEach(async () => {
  socket?.destroy();
  await nodes.leaveAll();
});

test("a program that knows the pages and the secret alone is let in, sealed", async () => {
  const node = await nodes.start({ name: "host", cluster: CLUSTER, secret: SECRET });
  const up = nextEvent(node, "up");
  socket = connect({ port: Number(node.address.split(":")[1]), host: "127.0.0.1" });
  const pieces = new Pieces(socket);
  const hand = new ByHand({ node: "hand", cluster: CLUSTER, secret: SECRET });
  socket.write(hand.hello);
  socket.write(hand.prove(await pieces.next(0)));
  const auth = new Message(await pieces.next(0));
  expect(auth.body).toBe(BODY.auth);
  expect(auth.bytes(0)).toEqual(hand.proofOf("acceptor"));
  const [out, back] = [hand.recordsOf("dialler"), hand.recordsOf("acceptor")];
  expect(new Message(back.open(await pieces.next(4))).body).toBe(BODY.ready);
  expect(await up).toMatchObject({ name: "hand" });
  expect(node.metrics().peers).toMatchObject([{ node: "hand", isSealed: true }]);

  const ping = control(BODY.ping, (builder) => {
    builder.startObject(2);
    builder.addFieldInt32(0, 77, 0);
    return builder.endObject();
  });
  socket.write(out.seal(ping));
  const pongs: number[] = [];
  while (pongs.length === 0) {
    const plain = back.open(await pieces.next(4));
    for (let at = 0; at < plain.length; at += plain.readUInt32LE(at)) {
      const message = new Message(plain.subarray(at, at + plain.readUInt32LE(at)));
      if (message.body === BODY.pong) pongs.push(message.u32(0));
    }
  }
  expect(pongs).toEqual([77]);

  const down = nextEvent(node, "down");
  const record = out.seal(ping);
  record[record.length - 1]! ^= 1;
  socket.write(record);
  expect(await down).toMatchObject({ name: "hand", reason: "record_broken" });
  expect(node.metrics().sealFailures).toBe(1);
});
