import { attempt, FoundationError } from "../../base/errors.ts";
import type { Pid } from "../../base/pid.ts";
import type { Unsubscribe } from "../../base/typed-events.ts";
import type { Processes } from "../../beam/processes.ts";
import { isDown, type MonitorRef } from "../../beam/signals.ts";
import { errorToRecord } from "../errors/json.ts";
import { asFoundationError } from "../errors/wrapping.ts";
import type { ServiceSlot } from "../service-slot.ts";
import { SteadyServer } from "../steady-server.ts";
import type { RegistryCore } from "./registry-core.ts";
import type { RegistryOp } from "./registry-types.ts";
import type {
  RegistryNews,
  RegistryReceipt,
  RegistryRequest,
  RegistrySnapshot,
} from "./registry-wire.ts";

/** What the authority works with. */
export interface AuthorityPlan {
  readonly slot: ServiceSlot<RegistryCore>;
  readonly processes: Processes;
}

/**
 * Answers the other isolates of a node: gives names for them, and tells them of every change. The
 * changes of one turn of the event loop travel together.
 */
export class RegistryAuthority extends SteadyServer<[AuthorityPlan]> {
  readonly #followers = new Map<MonitorRef, Pid>();
  #plan: AuthorityPlan | undefined;
  #stop: Unsubscribe = () => {};
  /** Number of the next change to tell. Greater than that of any authority before this one. */
  #sequence = Date.now() * 1_000;
  #news: RegistryOp[] = [];

  override init(plan: AuthorityPlan): void {
    this.self.trapExit = true;
    this.#plan = plan;
    this.#stop = plan.slot.held.onChange((op) => this.#note(op));
    const stop = plan.processes.monitor(this.self.pid, () => {
      this.#stop();
      stop();
    });
  }

  override handleCall(request: RegistryRequest): RegistrySnapshot | RegistryReceipt {
    if (request.op === "follow") return this.#follow(request.follower);
    // What a request fails with is its sender's to know, and no end of this process.
    const done = attempt(() => this.#change(request));
    const sequence = this.#reached;
    if (done.ok) return { had: done.value, sequence, error: undefined };
    return { had: false, sequence, error: errorToRecord(asFoundationError(done.error)) };
  }

  override handleInfo(message: unknown): void {
    if (!isDown(message) || !this.#followers.delete(message.ref)) return;
    this.#held.replicas = this.#followers.size;
  }

  override terminate(): void {
    this.#stop();
  }

  get #slot(): ServiceSlot<RegistryCore> {
    if (this.#plan === undefined) throw new TypeError("not started");
    return this.#plan.slot;
  }

  // What is asked while the registry is being restarted is no end of this process either.
  get #held(): RegistryCore {
    return this.#slot.held;
  }

  #change(request: Exclude<RegistryRequest, { op: "follow" }>): boolean {
    switch (request.op) {
      case "register": {
        const { namespace, name, pid, metadata } = request;
        this.#slot.core.register(namespace, name, pid, metadata === undefined ? {} : { metadata });
        return true;
      }
      case "unregister":
        return this.#slot.core.unregister(request.namespace, request.name);
      default:
        throw new FoundationError("operation_not_supported", "the registry knows no such request");
    }
  }

  #follow(follower: Pid): RegistrySnapshot {
    const known = [...this.#followers.values()].some((pid) => pid.equals(follower));
    if (!known) this.#followers.set(this.self.monitor(follower), follower);
    this.#held.replicas = this.#followers.size;
    return { sequence: this.#reached, entries: this.#held.all() };
  }

  /** Number behind the last change, told or not. */
  get #reached(): number {
    return this.#sequence + this.#news.length;
  }

  #note(op: RegistryOp): void {
    this.#news.push(op);
    if (this.#news.length === 1) setImmediate(() => this.#tell());
  }

  #tell(): void {
    const ops = this.#news;
    this.#news = [];
    const news: RegistryNews = { kind: "REGISTRY_NEWS", sequence: this.#sequence, ops };
    this.#sequence += ops.length;
    // One that cannot take it finds the gap in the numbers, and asks for everything anew. Sent as
    // this process: once it has ended, e.g. with its node, nothing is.
    for (const pid of this.#followers.values()) this.self.send(pid, news);
  }
}
