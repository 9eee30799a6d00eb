// How a process with a running node ends, and what it says of exceptions and panics. Each scenario
// is a program of its own, whose exit code is part of the result:
// `node process-scenarios.mjs NAME [CODE]`.

import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import { setImmediate as turn } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { Foundation } from "../../dist/ts/index.js";

const [, , name, argument] = isMainThread ? process.argv : ["", "", workerData];

/** Who polls the sockets of the nodes, where a run says so. */
const io = process.env.FOUNDATION_TEST_IO;

// Written at once: process.exit() would cut off what is still queued.
const print = (found) => writeSync(1, `${JSON.stringify(found)}\n`);

async function startPair() {
  const home = await Foundation.start({ name: "home", io });
  const peer = await Foundation.start({ name: "peer", seeds: [home.address], io });
  await Promise.all([home, peer].map((node) => node.awaitReady({ minimumMembers: 2 })));
  return { home, peer };
}

/** Resolves with the messages of everything that is thrown outside, once `count` came. */
function uncaught(count) {
  const messages = [];
  const all = new Promise((resolve) => {
    process.on("uncaughtException", (error) => {
      messages.push(error.message);
      if (messages.length === count) resolve(messages);
    });
  });
  return { messages, all };
}

const scenarios = {
  // Ends in the middle of everything: two workers and two nodes send as fast as they can.
  async exitInTraffic() {
    const { home, peer } = await startPair();
    let heard = 0;
    const count = () => {
      heard += 1;
      if (heard === 2_000) process.exit(Number(argument));
    };
    peer.handle("sink", count);
    home.handle("sink", count);
    for (let index = 0; index < 2; index += 1) {
      new Worker(fileURLToPath(import.meta.url), { workerData: "floodingWorker" });
    }
    await floodForEver(home, "peer");
  },

  async floodingWorker() {
    const node = await Foundation.attach({ name: "home" });
    await Promise.all([floodForEver(node, "peer"), floodForEver(node, "home")]);
  },

  // Only the doorbell holds the process: the wait below has neither timer nor socket, and without
  // it Node would end with 13, an unsettled await.
  async keptAlive() {
    const { home, peer } = await startPair();
    const heard = new Promise((resolve) => home.handle("late", resolve));
    setTimeout(() => peer.send({ node: "home", name: "late" }, "heard"), 200).unref();
    peer.unref();
    print({ heard: await heard });
    await Promise.all([home.leave(), peer.leave()]);
  },

  async unreferenced() {
    const { home, peer } = await startPair();
    home.unref();
    peer.unref();
    process.on("exit", (code) => print({ code }));
  },

  async referencedAgain() {
    const home = await Foundation.start({ name: "home", io });
    home.unref();
    home.ref();
    setTimeout(() => home.leave().then(() => print({ isLeft: true })), 100).unref();
  },

  async exitCodeAfterLeave() {
    const { home, peer } = await startPair();
    await Promise.all([home.leave(), peer.leave()]);
    process.exitCode = Number(argument);
  },

  async throwingHandlers() {
    const { home, peer } = await startPair();
    const outside = uncaught(3);
    home.handle("sync", () => {
      throw new Error("sync");
    });
    home.handle("async", async () => {
      throw new Error("async");
    });
    home.handle("alive", (message) => message);
    peer.send({ node: "home", name: "sync" }, 1);
    peer.send({ node: "home", name: "async" }, 1);
    home.send({ node: "home", name: "sync" }, 1); // by way of the local mailbox
    const messages = await outside.all;
    // A second report of the same exception would come before this answer.
    const answer = await peer.call({ node: "home", name: "alive" }, "answer");
    await turn();
    const answeredLocally = await home.call({ node: "home", name: "alive" }, "local");
    await Promise.all([home.leave(), peer.leave()]);
    print({ messages: messages.sort(), answer, answeredLocally });
  },

  // The exception belongs to the isolate whose handler threw.
  async throwingWorker() {
    const { home, peer } = await startPair();
    const outside = uncaught(1);
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: "throwingHandler" });
    const heard = [];
    worker.on("message", (message) => heard.push(message));
    const said = (text) =>
      new Promise((resolve) => {
        worker.on("message", (message) => message === text && resolve());
      });
    await said("ready");
    peer.send({ node: "home", name: "throwing" }, 1);
    peer.send({ node: "home", name: "throwing" }, 1);
    const answer = await peer.call({ node: "home", name: "asked" }, "answer");
    await Promise.all([peer.call({ node: "home", name: "finish" }, 1), said("finished")]);
    await Promise.all([home.leave(), peer.leave()]);
    print({ heard, inMain: outside.messages, answer });
  },

  async throwingHandler() {
    const node = await Foundation.attach({ name: "home" });
    process.on("uncaughtException", (error) => parentPort.postMessage(error.message));
    node.handle("throwing", () => {
      throw new Error("thrown in a worker");
    });
    node.handle("asked", (message) => message);
    node.handle("finish", () => setImmediate(() => parentPort.postMessage("finished")) && "done");
    parentPort.postMessage("ready");
  },

  async throwingListener() {
    const home = await Foundation.start({ name: "home", io });
    const outside = uncaught(1);
    const heard = [];
    home.on("up", () => {
      throw new Error("listener");
    });
    home.on("up", (member) => heard.push(member.name));
    const peer = await Foundation.start({ name: "peer", seeds: [home.address], io });
    await outside.all;
    peer.handle("alive", (message) => message);
    await home.awaitReady({ minimumMembers: 2 });
    const answer = await home.call({ node: "peer", name: "alive" }, "answer");
    await Promise.all([home.leave(), peer.leave()]);
    print({ messages: outside.messages, heard, answer });
  },

  // The default without a listener: the process ends as after any other uncaught exception.
  async fatalHandler() {
    const { home, peer } = await startPair();
    home.handle("sync", () => {
      throw new Error("nobody catches this");
    });
    peer.send({ node: "home", name: "sync" }, 1);
  },

  async panic() {
    const core = createRequire(import.meta.url)("../../dist/bindings/foundation_core.node");
    const { home, peer } = await startPair();
    const errors = [];
    for (let round = 0; round < 3; round += 1) {
      try {
        core.panicForTest("call");
      } catch (error) {
        errors.push(error instanceof Error && error.message);
      }
    }
    home.handle("alive", (message) => message);
    const answer = await peer.call({ node: "home", name: "alive" }, "answer");
    await Promise.all([home.leave(), peer.leave()]);
    print({ errors, answer });
  },
};

async function floodForEver(node, to) {
  const small = { text: "small" };
  const large = new Uint8Array(40_000);
  for (;;) {
    for (let sent = 0; sent < 16; sent += 1) {
      if (!node.send({ node: to, name: "sink" }, sent % 4 === 0 ? large : small)) break;
    }
    await turn();
  }
}

await scenarios[name]();
