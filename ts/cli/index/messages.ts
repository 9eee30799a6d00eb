import type { FoundationStartOptions } from "../../index.ts";
import type { FileRecord } from "./record.ts";

/**
 * The channels of the job, most urgent first. Pings overtake results and results overtake file
 * contents, however much of those waits.
 */
export const INDEX_CHANNELS = Object.freeze({
  control: { priority: 0 },
  results: { priority: 1 },
  bulk: { priority: 2, weight: 1, lanes: 1 },
});

/** What a run's overlay may be: that of thousands of nodes works for four, too. */
export type IndexOverlay = "fullMesh" | "hyparview";

/** The overlay of every node of a run; without one each node links to every member. */
export function overlaysOf(
  strategy: IndexOverlay | undefined,
): Pick<FoundationStartOptions, "overlays"> {
  return strategy === undefined ? {} : { overlays: { run: { strategy } } };
}

/** Handler names by which the coordinator and its workers reach each other. */
export const HANDLERS = Object.freeze({
  file: "index:file",
  result: "index:result",
  ping: "index:ping",
  summary: "index:summary",
});

/** What the coordinator starts at each worker: the process that parses. */
export const PARSER_FACTORY = "index-worker";

/** Why a parser process ended that could not cope with a file. */
export interface FileCrash {
  readonly kind: "file-crash";
  readonly fileId: number;
  readonly problem: string;
}

/** Whether a parser's exit reason names the file. */
export function isFileCrash(reason: unknown): reason is FileCrash {
  if (typeof reason !== "object" || reason === null) return false;
  if (Reflect.get(reason, "kind") !== "file-crash") return false;
  return Number.isInteger(Reflect.get(reason, "fileId"));
}

/** Name of the node that hands out the files. */
export const COORDINATOR_NAME = "coordinator";

/** What a worker process needs to join; sent over the inherited pipe, never by command line. */
export interface WorkerAssignment {
  readonly kind: "assignment";
  readonly name: string;
  readonly cluster: string;
  /** Shared secret of this one run; drawn afresh each time. */
  readonly secret: string;
  /** Address of the coordinator, `host:port`. */
  readonly seed: string;
  /** What links the run's nodes keep; undefined: one to each member. */
  readonly overlay: IndexOverlay | undefined;
}

/** What a worker process says over the inherited pipe, once. */
export type WorkerNotice =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly message: string };

/** One file on its way to a worker. */
export interface FileMessage {
  /** Index of the file in the coordinator's list. */
  readonly fileId: number;
  readonly path: string;
  readonly content: Uint8Array;
}

/** One answer of a worker; larger fields live in the record. */
export interface ResultMessage {
  readonly fileId: number;
  readonly record: FileRecord;
}

/** What a worker counted by itself, asked for at the end of the run. */
export interface WorkerSummary {
  /** File messages that its handler was given. */
  readonly filesReceived: number;
  /** Bytes of those messages, headers included. */
  readonly fileMessageBytes: number;
  /** Messages that could not be read as a file; 0 unless something is broken. */
  readonly malformedMessages: number;
  /** Time spent in the parser and the walk. Unit: ms. */
  readonly parseMs: number;
  /** Resident memory at the end. Unit: bytes. */
  readonly residentBytes: number;
  /** What its node counted on the two channels that are at rest by then. */
  readonly channels: { readonly bulk: ChannelTotals; readonly results: ChannelTotals };
}

/** One node's own count of one channel, both ways, payload only. */
export interface ChannelTotals {
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly messagesSent: number;
  readonly messagesReceived: number;
}

const HEADER_BYTES = 8;

/** Bytes that a file message has beyond the content: two numbers and the path. */
export function fileMessageOverheadBytes(path: string): number {
  return HEADER_BYTES + Buffer.byteLength(path);
}

/** Lays a file out as `fileId u32 | pathBytes u32 | path | content`, little-endian. */
export function encodeFileMessage(message: FileMessage): Uint8Array {
  const pathBytes = Buffer.byteLength(message.path);
  const contentAt = HEADER_BYTES + pathBytes;
  const bytes = Buffer.allocUnsafeSlow(contentAt + message.content.byteLength);
  bytes.writeUInt32LE(message.fileId, 0);
  bytes.writeUInt32LE(pathBytes, 4);
  bytes.write(message.path, HEADER_BYTES);
  bytes.set(message.content, contentAt);
  return bytes;
}

/** Reads {@link encodeFileMessage}'s layout; `undefined` for anything else. Copies nothing. */
export function decodeFileMessage(message: unknown): FileMessage | undefined {
  if (!(message instanceof Uint8Array) || message.byteLength < HEADER_BYTES) return undefined;
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  const pathBytes = bytes.readUInt32LE(4);
  if (pathBytes > bytes.byteLength - HEADER_BYTES) return undefined;
  const contentAt = HEADER_BYTES + pathBytes;
  return {
    fileId: bytes.readUInt32LE(0),
    path: bytes.toString("utf8", HEADER_BYTES, contentAt),
    content: bytes.subarray(contentAt),
  };
}

/** True for an object whose two fields have the right shape; the record is checked by its path. */
export function isResultMessage(message: unknown): message is ResultMessage {
  if (typeof message !== "object" || message === null) return false;
  if (!("fileId" in message) || !("record" in message)) return false;
  const { fileId, record } = message;
  if (!Number.isInteger(fileId) || typeof record !== "object" || record === null) return false;
  return "path" in record && "sha256" in record && "imports" in record && "exports" in record;
}
