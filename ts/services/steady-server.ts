import { FoundationError } from "../base/errors.ts";
import type { From } from "../beam/envelope.ts";
import { GenServer } from "../beam/gen-server.ts";

/**
 * A server that no stranger ends: a call that it does not know is answered with an error, and any
 * other message, or the end of somebody who linked himself to it, is no reason to end.
 */
export abstract class SteadyServer<Args extends readonly unknown[]> extends GenServer<Args> {
  override handleCall(request: unknown, from: From): unknown {
    const text = `a service is called by its methods and not by messages such as ${typeof request}`;
    from.fail(new FoundationError("operation_not_supported", text));
    return GenServer.noReply;
  }

  override handleCast(): void {}
}
