import type { Unsubscribe } from "../../base/typed-events.ts";
import type { Config } from "../config/config.ts";
import type { RetentionConfig } from "../events/retention.ts";

/**
 * The configuration of a namespace for those that follow it: its service may start after them, end
 * and begin anew, which is a change as any other. `onStarted`: calls a function at each start.
 */
export function followedConfig(
  config: Config,
  onStarted: (listener: () => void) => Unsubscribe,
): RetentionConfig {
  return {
    getWithDefault: (path, fallback) => config.getWithDefault(path, fallback),
    subscribe: (listener, options) => {
      let isOver = false;
      // While the service is down nobody can be taken from its subscribers.
      const tell = (): void => {
        if (!isOver) listener();
      };
      if (config.available()) config.subscribe(tell, options);
      const stop = onStarted(() => {
        config.subscribe(tell, options);
        tell();
      });
      return () => {
        isOver = true;
        stop();
        if (config.available()) config.unsubscribe(tell);
      };
    },
  };
}
