import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { addressOf, isName } from "../../entries.ts";
import type { Candidate, DiscoveringNode } from "../../provider.ts";

/** The service that nodes announce (RFC 6763). */
export const SERVICE = "_foundation._tcp.local";

/** How long a record is good for. Unit: s. RFC 6762, section 10. */
const TTL_S = 120;

/** Longest text of a record, with its key. Unit: bytes. */
const TEXT_BYTES_MAX = 255;

/** A record as the package `dns-packet` reads and writes it. */
export interface MulticastRecord {
  readonly name: string;
  readonly type: string;
  readonly ttl?: number;
  readonly data?: unknown;
}

/** A message with records. */
export interface MulticastMessage {
  readonly answers?: readonly MulticastRecord[];
  readonly additionals?: readonly MulticastRecord[];
  readonly questions?: readonly { readonly name: string; readonly type: string }[];
}

/** Whether a node's cluster can be told in a record. */
export function canBeTold({ cluster }: DiscoveringNode): boolean {
  return Buffer.byteLength(`cluster=${cluster}`) <= TEXT_BYTES_MAX;
}

/** All records of a node: one message tells everything. With 0 seconds they are taken back. */
export function recordsOf(self: DiscoveringNode, ttl: number = TTL_S): MulticastRecord[] {
  const { cluster, name, address, host, port } = self;
  const parts = [cluster, name, address].join("\0");
  const label = `node-${createHash("sha256").update(parts).digest("hex").slice(0, 16)}`;
  const instance = `${label}.${SERVICE}`;
  const target = `${label}.local`;
  const texts = [`cluster=${cluster}`, `name=${name}`];
  return [
    { name: SERVICE, type: "PTR", ttl, data: instance },
    { name: instance, type: "SRV", ttl, data: { port, target, priority: 0, weight: 0 } },
    {
      name: instance,
      type: "TXT",
      ttl,
      data: texts.filter((text) => Buffer.byteLength(text) <= TEXT_BYTES_MAX),
    },
    { name: target, type: isIP(host) === 6 ? "AAAA" : "A", ttl, data: host },
  ];
}

/** The nodes of a cluster that a message tells of; others, and what cannot be read, are noted. */
export function nodesIn(
  { answers = [], additionals = [] }: MulticastMessage,
  cluster: string,
  note: (reason: string) => void,
): readonly Candidate[] {
  const records = [...answers, ...additionals];
  const candidates: Candidate[] = [];
  for (const { name, type, data, ttl } of records) {
    if (type !== "SRV" || ttl === 0 || !name.endsWith(`.${SERVICE}`)) continue;
    const texts = textsOf(records, name);
    const wanted = texts.get("cluster");
    if (wanted !== cluster) {
      note(wanted === undefined ? "badRecord" : "otherCluster");
      continue;
    }
    const { port, target } = data as { port: number; target: string };
    const hosts = records.filter((one) => one.name === target && /^A{1,4}$/.test(one.type));
    const called = texts.get("name");
    if (hosts.length === 0) note("badRecord");
    for (const host of hosts) {
      const address = addressOf(String(host.data), port);
      if (address === undefined) note("badAddress");
      else candidates.push({ address, ...(isName(called) && { name: called }) });
    }
  }
  return candidates;
}

function textsOf(records: readonly MulticastRecord[], name: string): Map<string, string> {
  const record = records.find((one) => one.name === name && one.type === "TXT");
  const texts = Array.isArray(record?.data) ? (record.data as unknown[]) : [];
  return new Map(
    texts.map((text) => {
      const [key = "", ...rest] = String(text).split("=");
      return [key, rest.join("=")] as const;
    }),
  );
}
