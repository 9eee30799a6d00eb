import type { Pid } from "../base/pid.ts";
import type { ProcessCallOptions } from "./process-types.ts";
import type { Processes } from "./processes.ts";
import type { StartOptions } from "./startable.ts";

/** What an agent is asked: what to answer, and the state afterwards. */
type Question<State> = (state: State) => Promise<{ value: unknown; state: State }>;

/**
 * State in a process of this isolate, read and changed by functions that run there one at a time,
 * also across `await`. A function that throws ends the agent.
 */
export class Agent<State> {
  readonly pid: Pid;
  readonly #processes: Processes;

  private constructor(pid: Pid, processes: Processes) {
    this.pid = pid;
    this.#processes = processes;
  }

  /**
   * Starts an agent with what `initial` returns or resolves to.
   *
   * @throws FoundationError `init_failed`; see `processes.spawn`
   */
  static async start<State>(
    processes: Processes,
    initial: () => State | Promise<State>,
    options: Omit<StartOptions, "args"> = {},
  ): Promise<Agent<State>> {
    let state: State;
    const body = {
      init: async (): Promise<void> => {
        state = await initial();
      },
      handle: async (question: Question<State>): Promise<unknown> => {
        const answer = await question(state);
        state = answer.state;
        return answer.value;
      },
    };
    return new Agent<State>(await processes.start(body, { label: "Agent", ...options }), processes);
  }

  /** Resolves with what `read` makes of the state. */
  async get<T>(read: (state: State) => T | Promise<T>, options?: ProcessCallOptions): Promise<T> {
    const question: Question<State> = async (state) => ({ value: await read(state), state });
    return (await this.#processes.call(this.pid, question, options)) as T;
  }

  /** Makes what `change` returns the state. */
  async update(
    change: (state: State) => State | Promise<State>,
    options?: ProcessCallOptions,
  ): Promise<void> {
    const question: Question<State> = async (state) => {
      return { value: undefined, state: await change(state) };
    };
    await this.#processes.call(this.pid, question, options);
  }

  /** Both at once: `change` returns an answer and the new state. */
  async getAndUpdate<T>(
    change: (state: State) => readonly [T, State] | Promise<readonly [T, State]>,
    options?: ProcessCallOptions,
  ): Promise<T> {
    const question: Question<State> = async (before) => {
      const [value, state] = await change(before);
      return { value, state };
    };
    return (await this.#processes.call(this.pid, question, options)) as T;
  }

  /** Changes the state without waiting for it; false: the agent's mailbox is full. */
  cast(change: (state: State) => State | Promise<State>): boolean {
    const question: Question<State> = async (state) => {
      return { value: undefined, state: await change(state) };
    };
    return this.#processes.cast(this.pid, question);
  }

  /** Ends the agent once it has answered what came before. */
  async stop(): Promise<void> {
    await this.#processes.stop(this.pid);
  }
}
