import { Ecosystems } from "../../dist/ts/beam/ecosystems/ecosystems.js";
import { type EcosystemOptions, GenServer, type Pid } from "../../dist/ts/index.js";
import { Scene } from "./beam-scene.ts";

/** For an isolate that is part of no node. */
const NO_CLUSTER = {
  members: () => [],
  onChange: () => () => {},
  loadOf: async () => undefined,
  startAt: async () => Promise.reject(new Error("there is no cluster")),
};

/** Ecosystems in one isolate, with a clock that stands still unless it is moved. */
export class EcosystemScene extends Scene {
  readonly looks = new Set<() => void>();
  readonly ecosystems: Ecosystems;
  nowMs = 0;
  cpuMs = 0;

  constructor() {
    super();
    this.ecosystems = new Ecosystems(this.runtime, this.supervisors, NO_CLUSTER, {
      nowMs: () => this.nowMs,
      cpuMs: () => this.cpuMs,
      every: (_intervalMs, look) => {
        this.looks.add(look);
        return () => this.looks.delete(look);
      },
    });
  }

  async spawn(options: EcosystemOptions): Promise<Pid> {
    return this.ecosystems.spawnEcosystem(options);
  }

  look(): void {
    for (const look of this.looks) look();
  }
}

/** Work that is done when the test says so. */
export class Gates {
  readonly begun: string[] = [];
  readonly #open = new Map<string, () => void>();

  /** A server that writes down its work and waits at its gate. */
  server(isTrapping = false) {
    const gates = this;
    return class Gated extends GenServer {
      override init(): void {
        this.self.trapExit = isTrapping;
      }
      override async handleCall(work: string): Promise<string> {
        gates.begun.push(work);
        await new Promise<void>((resolve) => gates.#open.set(work, resolve));
        return `${work} by ${this.self.pid}`;
      }
      override async handleInfo(work: string): Promise<void> {
        await this.handleCall(work);
      }
    };
  }

  open(work: string): void {
    this.#open.get(work)?.();
  }
}
