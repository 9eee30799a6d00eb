import type { Processes } from "../../../beam/processes.ts";
import type { ClusterNode } from "../../../kernel/node.ts";

/** What figures of an isolate and its node are read from. */
export interface RuntimeSource {
  readonly processes: Pick<Processes, "counts" | "mailboxes">;
  readonly node: Pick<ClusterNode, "isolates" | "metrics">;
  /** Whether this isolate has started the node: it alone reports what all of them share. */
  readonly isRoot: boolean;
}
