import { native } from "../base/errors.ts";
import { core } from "./native.ts";
import { type Secret, secretDigits } from "./secrets.ts";

/**
 * The secrets that a node accepts, changed while it runs. The first one is used for new links; a
 * peer may use any. Links that are up keep the keys that they derived, whatever happens here.
 *
 * To change a cluster's secret: `add` the new one on every node, then `use` it on every node, then
 * `remove` the old one on every node. Keys are named by their secret or by their fingerprint.
 */
export class NodeKeys {
  readonly #node: number;

  /** The keys of a node of this process; `node.keys` has it. */
  constructor(node: number) {
    this.#node = node;
  }

  /** Fingerprints, the key for new links first. They tell keys apart and say nothing of secrets. */
  list(): readonly string[] {
    return native(() => core.changeKeys(this.#node, "list", ""));
  }

  /**
   * Accepts a further secret.
   *
   * @returns its fingerprint
   * @throws FoundationError `invalid_options` for a short one or a node that has none,
   *   `too_many_keys` above eight
   */
  add(secret: Secret): string {
    const digits = secretDigits(secret, "the secret");
    native(() => core.changeKeys(this.#node, "add", digits));
    return native(() => core.keyFingerprint(digits));
  }

  /**
   * Uses a secret that is accepted for all new links of this node.
   *
   * @throws FoundationError `unknown_key`
   */
  use(key: Secret): void {
    const fingerprint = this.#fingerprint(key);
    native(() => core.changeKeys(this.#node, "use", fingerprint));
  }

  /**
   * Accepts a secret no longer. Peers that still use it are refused when they dial again.
   *
   * @throws FoundationError `unknown_key`; `key_in_use` for the one that new links use
   */
  remove(key: Secret): void {
    const fingerprint = this.#fingerprint(key);
    native(() => core.changeKeys(this.#node, "remove", fingerprint));
  }

  #fingerprint(key: Secret): string {
    if (typeof key === "string" && this.list().includes(key)) return key;
    const digits = secretDigits(key, "the secret");
    return native(() => core.keyFingerprint(digits));
  }
}
