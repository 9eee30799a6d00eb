/** Topic of the broadcasts. */
const TOPIC = "scale";

/** Milliseconds of one clock for all processes of this machine. */
const clock = () => performance.timeOrigin + performance.now();

/** One node and what its own events have told it. */
export class Observed {
  /** Names of the other members. */
  members = new Set();
  /** How long the latest broadcast took to here. Unit: ms. */
  heardAt;
  #waiting;

  /** @param {import("foundation-runtime").FoundationNode} node */
  constructor(node) {
    this.node = node;
    node.on("up", ({ name }) => this.#change(() => this.members.add(name)));
    node.on("down", ({ name }) => this.#change(() => this.members.delete(name)));
    node.subscribe(TOPIC, (sentAt) => {
      this.#change(() => {
        this.heardAt ??= clock() - sentAt;
      });
    });
  }

  /** Says the time to all. */
  broadcast() {
    this.node.broadcast(TOPIC, clock(), { overlay: "data" });
  }

  /** Links that the latest broadcast came over. */
  hops() {
    return this.node.topologySnapshot().overlays[0].lastHops;
  }

  #change(act) {
    act();
    this.#waiting?.();
  }

  /** Resolves once that is so. */
  until(isSo) {
    if (isSo()) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = () => {
        if (isSo()) resolve();
      };
    });
  }
}
