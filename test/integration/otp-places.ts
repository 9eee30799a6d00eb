import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import {
  type FoundationNode,
  type HeavyBlueprint,
  heavy,
  type Pid,
  type SpawnOptions,
} from "foundation-runtime";
import { offerServers, type SERVERS } from "./fixtures/otp-servers.mjs";
import { subject } from "./fixtures/subject.mjs";
import { LocalNodes } from "./local-nodes.ts";

const WORKER = fileURLToPath(new URL("./fixtures/otp-worker.mjs", import.meta.url));

const SUBJECTS = new URL("./fixtures/heavy-subjects.mjs", import.meta.url);

/** Where those are who act, and where those are who are acted upon. */
export interface Place {
  readonly here: FoundationNode;
  readonly kind: "light" | "heavy";
  /** Starts a subject (fixtures/subject.mjs) in the other place. */
  subject(options?: SpawnOptions & { readonly link?: Pid }): Promise<Pid>;
  /** Starts a server (fixtures/otp-servers.mjs) in the other place. */
  server(name: keyof typeof SERVERS): Promise<Pid>;
  /** Tells a subject what to do and resolves with its answer. */
  order(pid: Pid, order: string, argument?: unknown): Promise<unknown>;
  close(): Promise<void>;
}

/** The arrangements that every scenario of OTP has to hold in. */
export const PLACES = [
  { name: "in one isolate", open: async () => openWith(async () => undefined) },
  { name: "in two isolates of a node", open: async () => openWith(startWorker) },
  { name: "at two nodes", open: async () => openWith(startNode) },
  { name: "for heavy processes", open: async () => openWith(offerHeavy) },
  { name: "for heavy processes of another node", open: async () => openWith(startHeavyNode) },
] as const;

type Other = {
  readonly node: string;
  readonly factory: string;
  readonly close?: () => Promise<unknown>;
};

async function openWith(
  start: (here: FoundationNode, nodes: LocalNodes) => Promise<Other | undefined>,
): Promise<Place> {
  const nodes = new LocalNodes();
  const here = await nodes.start({ name: "here" });
  const { processes } = here.beam;
  processes.on("crashed", () => {});
  const other = await start(here, nodes);
  if (other === undefined) offerSubjects(here);
  const { node, factory } = other ?? { node: "here", factory: "subject" };
  return {
    here,
    kind: factory === "heavy subject" ? "heavy" : "light",
    subject: async ({ trapExit = false, ...options } = {}) => {
      return processes.spawnOn(node, factory, [{ trapExit }], options);
    },
    server: async (name) => processes.spawnOn(node, `${factory} ${name}`),
    order: async (pid, order, argument) => processes.call(pid, { order, argument }),
    close: async () => {
      await other?.close?.();
      await nodes.leaveAll();
    },
  };
}

function offerSubjects({ beam: { processes } }: FoundationNode): void {
  processes.offer("subject", subject as never);
  offerServers(processes, "subject");
}

function offerHeavySubjects({ beam: { processes } }: FoundationNode): void {
  processes.offer("heavy subject", heavySubject);
  offerServers(processes, "heavy subject", true);
}

async function startWorker(): Promise<Other> {
  const worker = new Worker(WORKER, {
    workerData: { node: "here", factory: "subject in a worker" },
  });
  await once(worker, "message");
  const close = async (): Promise<unknown> => worker.terminate();
  return { node: "here", factory: "subject in a worker", close };
}

/** Subjects that own an isolate; their options travel as the arguments of a server would. */
function heavySubject({ trapExit }: { trapExit: boolean }): HeavyBlueprint {
  return heavy({ module: SUBJECTS, export: trapExit ? "trapping" : "plain" });
}

async function offerHeavy(here: FoundationNode): Promise<Other> {
  offerHeavySubjects(here);
  return { node: "here", factory: "heavy subject" };
}

async function startHeavyNode(here: FoundationNode, nodes: LocalNodes): Promise<Other> {
  await startNode(here, nodes);
  offerHeavySubjects(nodes.last);
  return { node: "there", factory: "heavy subject" };
}

async function startNode(here: FoundationNode, nodes: LocalNodes): Promise<Other> {
  const there = await nodes.start({ name: "there", seeds: [here.address] });
  there.beam.processes.on("crashed", () => {});
  offerSubjects(there);
  await Promise.all([here, there].map(async (node) => node.awaitReady({ minimumMembers: 2 })));
  return { node: "there", factory: "subject" };
}
