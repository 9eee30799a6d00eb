import { FoundationError } from "../base/errors.ts";
import type { Pid } from "../base/pid.ts";
import type { LightProcess } from "./process.ts";
import type { ProcessCallOptions, Self } from "./process-types.ts";
import type { Processes } from "./processes.ts";
import type { ExitReason } from "./signals.ts";
import type { StartOptions } from "./startable.ts";

/** Something that hears the events of a manager. What it throws removes it, and nobody else. */
export interface EventHandler {
  /** Runs when it is added; what it throws makes that fail. */
  init?(): unknown;
  handleEvent(event: unknown): unknown;
  /** Answers a call that was meant for it. */
  handleCall?(request: unknown): unknown;
  /** Runs when it is removed: `removed`, what it threw, or why the manager ends. */
  terminate?(reason: ExitReason): unknown;
}

type Work = (hall: EventHall) => unknown;

/**
 * A process of this isolate that passes events on to handlers, one event and one handler at a time,
 * as OTP's `gen_event`.
 */
export class EventManager {
  readonly pid: Pid;
  readonly #processes: Processes;

  private constructor(pid: Pid, processes: Processes) {
    this.pid = pid;
    this.#processes = processes;
  }

  /** Starts a manager without handlers. */
  static async start(
    processes: Processes,
    options: Omit<StartOptions, "args"> = {},
  ): Promise<EventManager> {
    const hall = new EventHall();
    const pid = await processes.start(hall, { label: "EventManager", ...options });
    return new EventManager(pid, processes);
  }

  /**
   * Adds a handler under a name of its own.
   *
   * @throws FoundationError `name_taken`, `init_failed`
   */
  async addHandler(id: string, handler: EventHandler): Promise<void> {
    await this.#ask(async (hall) => hall.add(id, handler));
  }

  /** Removes a handler; false where there is none of that name. */
  async removeHandler(id: string): Promise<boolean> {
    return (await this.#ask(async (hall) => hall.remove(id, "removed"))) as boolean;
  }

  /** The names of the handlers, in the order they were added. */
  async handlers(): Promise<readonly string[]> {
    return (await this.#ask((hall) => hall.names())) as string[];
  }

  /** Tells all handlers of an event; false: the manager's mailbox is full. */
  notify(event: unknown): boolean {
    const work: Work = async (hall) => hall.tell(event);
    return this.#processes.cast(this.pid, work);
  }

  /** The same; resolves when all handlers have heard it. */
  async syncNotify(event: unknown, options?: ProcessCallOptions): Promise<void> {
    await this.#ask(async (hall) => hall.tell(event), options);
  }

  /**
   * Asks one handler.
   *
   * @throws FoundationError `noproc` where there is none of that name; `handler_failed`
   */
  async call(id: string, request: unknown, options?: ProcessCallOptions): Promise<unknown> {
    return this.#ask(async (hall) => hall.ask(id, request), options);
  }

  /** Ends the manager once it has told what came before. */
  async stop(): Promise<void> {
    await this.#processes.stop(this.pid);
  }

  async #ask(work: Work, options?: ProcessCallOptions): Promise<unknown> {
    const answer = (await this.#processes.call(this.pid, work, options)) as Answer;
    if ("refused" in answer) throw answer.refused;
    return answer.value;
  }
}

type Answer = { readonly value: unknown } | { readonly refused: unknown };

/** The manager's process. */
class EventHall {
  readonly #handlers = new Map<string, EventHandler>();
  #self: LightProcess | undefined;

  init(self: Self): void {
    this.#self = self as LightProcess;
  }

  async handle(work: Work): Promise<Answer> {
    try {
      return { value: await work(this) };
    } catch (refused) {
      return { refused };
    }
  }

  async terminate(reason: ExitReason): Promise<void> {
    for (const id of [...this.#handlers.keys()]) await this.remove(id, reason);
  }

  names(): string[] {
    return [...this.#handlers.keys()];
  }

  async add(id: string, handler: EventHandler): Promise<void> {
    if (this.#handlers.has(id)) {
      throw new FoundationError("name_taken", `there is a handler '${id}' already`);
    }
    try {
      await handler.init?.();
    } catch (thrown) {
      throw failure("init_failed", `handler '${id}' did not start`, thrown);
    }
    this.#handlers.set(id, handler);
  }

  async remove(id: string, reason: ExitReason): Promise<boolean> {
    const handler = this.#handlers.get(id);
    if (handler === undefined) return false;
    this.#handlers.delete(id);
    try {
      await handler.terminate?.(reason);
    } catch (thrown) {
      this.#report(thrown);
    }
    return true;
  }

  async tell(event: unknown): Promise<void> {
    for (const [id, handler] of [...this.#handlers]) {
      if (this.#handlers.get(id) !== handler) continue;
      try {
        await handler.handleEvent(event);
      } catch (thrown) {
        await this.#fell(id, thrown);
      }
    }
  }

  async ask(id: string, request: unknown): Promise<unknown> {
    const handler = this.#handlers.get(id);
    if (handler?.handleCall === undefined) {
      throw new FoundationError("noproc", `no handler '${id}' takes calls`);
    }
    try {
      return await handler.handleCall(request);
    } catch (thrown) {
      await this.#fell(id, thrown);
      throw failure("handler_failed", `handler '${id}' failed`, thrown);
    }
  }

  async #fell(id: string, thrown: unknown): Promise<void> {
    this.#report(thrown);
    await this.remove(id, thrown);
  }

  #report(thrown: unknown): void {
    if (this.#self !== undefined) this.#self.runtime.crashed(this.#self, thrown);
  }
}

function failure(
  code: "init_failed" | "handler_failed",
  text: string,
  cause: unknown,
): FoundationError {
  return new FoundationError(code, text, { cause });
}
