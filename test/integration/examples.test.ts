import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const EXAMPLES = join(ROOT, "examples");

/** An example ends by itself; one that hangs is stopped here. Unit: ms. */
const EXAMPLE_LIMIT_MS = 60_000;

/**
 * What each example prints, to the letter: a program that says something else is not the example.
 */
const OUTPUTS: ReadonlyMap<string, string> = new Map([
  ["two-nodes.mjs", "4 readings: garden: 18.5 °C, garden: 19 °C, garden: 21 °C, garden: 23.5 °C\n"],
  ["workers.mjs", "primes below 50,000, from each worker: 5133 5133\n"],
  [
    "backpressure.mjs",
    "4000 frames arrived in order\nthe sender had to wait\nits queue stayed below 1 MiB\n",
  ],
  ["key-rotation.mjs", "members: 3 keys: 1\n"],
  [
    "shared-frames.mjs",
    [
      "copied for a viewer: its address",
      "copied for a viewer: its address",
      "left saw 200, right saw 200",
      "",
    ].join("\n"),
  ],
  [
    "io-list.mjs",
    [
      "12 parts, 85 bytes",
      "<ul><li>ada</li><li>bob</li><li>eve</li></ul>",
      "the process got 46 bytes",
      "",
    ].join("\n"),
  ],
  [
    "supervisor.mjs",
    "greeter crashed: TypeError\nhello, ann - process_exited\n1 runs again: hello, eve\n",
  ],
  [
    "chat-room.mjs",
    [
      "eve crashed: nothing to say",
      "ada heard: bob: still here?",
      "bob heard: ada: hello",
      "eve heard: bob: still here?",
      "processes left: 0",
      "",
    ].join("\n"),
  ],
  [
    "ecosystem.mjs",
    [
      "Resizer ended: out of luck",
      "10 x 20, 20 x 40, 30 x 60, 40 x 80",
      "4 done, 1 of them by a second worker",
      "worker-1 up, worker-2 up, worker-3 up, worker-4 up",
      "healthy: 3 workers",
      "all done, 0 killed",
      "",
    ].join("\n"),
  ],
  [
    "error-context.mjs",
    [
      "[3401:data_not_found] no user 7 | Severity: low",
      "Http.get -> Users.load",
      "true { path: '/users/7', id: 7 }",
      "1000 2",
      "",
    ].join("\n"),
  ],
  [
    "warm-store.mjs",
    [
      "3 events in 1 commit outlive a power loss",
      'order placed {"euros":40}',
      'order paid {"by":"card"}',
      "",
    ].join("\n"),
  ],
  [
    "config.mjs",
    [
      "{ currency: 'EUR', discount: 0.1 } 0.25",
      "shop.discount is now 0.2",
      "shop.discount validation_failed",
      "shop.currency config_update_forbidden",
      "",
    ].join("\n"),
  ],
  [
    "events.mjs",
    [
      "order_placed within a minute",
      "order_paid within a minute",
      "pear and plum",
      "true",
      "mail to ann",
      "",
    ].join("\n"),
  ],
  ["module-style.mjs", "openai healthy\n1\ntrue 1\n0.5\nfalse none\n"],
  ["services.mjs", "true true\nnow 50\n1\n"],
  [
    "telemetry.mjs",
    "slow: /report\n3 requests, p50 within 1 % of 20: true\nexceptions: 1\nlookups: 1\n",
  ],
  [
    "telemetry-otel.mjs",
    'db.query {"table":"users"}\nhttp.request {"path":"/users"}\nnested: true\n',
  ],
  [
    "capture.mjs",
    [
      "2000 orders, all of batch-7",
      "the clerk: process_spawn, process_exit",
      "written 2002, read 2002, dropped 0",
      "",
    ].join("\n"),
  ],
  [
    "telemetry-prometheus.mjs",
    [
      'http_body_bytes_bucket{le="100"} 2',
      'http_body_bytes_bucket{le="1000"} 3',
      'http_body_bytes_bucket{le="+Inf"} 3',
      'http_requests_total{path="/"} 2',
      'http_requests_total{path="/users"} 1',
      "the engine is there: true",
      "",
    ].join("\n"),
  ],
  ["registry.mjs", "true hello, ada\ngreeter 2\n1 of 1 healthy\nundefined 1\n"],
  ["ring.mjs", "100000 hops through 1000 processes\n"],
  [
    "balanced-work.mjs",
    "primes below 200,000: 17984\nprimes once more: 17984\ntimers ran meanwhile: true\n",
  ],
  [
    "protected-calls.mjs",
    [
      "execution_error: status 503",
      "execution_error: status 503",
      "circuit_breaker_blown",
      "open",
      "200 request 4",
      "request 5",
      "request 6",
      "request 7",
      "rate_limit_exceeded",
      "",
    ].join("\n"),
  ],
  ["supervised-pair.mjs", "hello, from east\nhello again, from west\n"],
  ["endless-loops.mjs", "3 and 13: 9, timeout\n17: process_exited\n4 and 5: 16, 25\n"],
  [
    "memory-hogs.mjs",
    [
      "a text: 6, 6",
      "loop: stalled, stalled",
      "a text: 6, 6",
      "hog: offHeap, offHeap",
      "another text: 12, 12",
      "",
    ].join("\n"),
  ],
  [
    "calls-with-abort.mjs",
    [
      "answer: 42",
      "handler's error: handler_failed: the handler failed: division by zero",
      "no such name: noproc: nobody handles that name",
      "no such node: noconnection: 'stranger' is not a member",
      "too late: timeout: no answer from 'never' at 'server' within 50 ms",
      "aborted: aborted: the call was aborted",
      "",
    ].join("\n"),
  ],
]);

/** The fenced block behind a mark in the manual, without its fence. */
function blockBehind(mark: string, text: string): string | undefined {
  const at = text.indexOf(mark);
  return at < 0 ? undefined : /```\w*\n([\s\S]*?)```/.exec(text.slice(at))?.[1];
}

describe("the examples", () => {
  test("are all run here", () => {
    expect(readdirSync(EXAMPLES).sort()).toEqual([...OUTPUTS.keys()].sort());
  });

  test.each([...OUTPUTS])("%s does what it says and ends by itself", async (name, output) => {
    const started = promisify(execFile)(process.execPath, [join(EXAMPLES, name)], {
      cwd: ROOT,
      timeout: EXAMPLE_LIMIT_MS,
    });
    await expect(started).resolves.toEqual({ stdout: output, stderr: "" });
  });

  test.each(["two-nodes.mjs", "supervisor.mjs", "services.mjs"])(
    "README.md shows %s as it is",
    (name) => {
      const readme = readFileSync(join(ROOT, "README.md"), "utf8");
      const shown = blockBehind(`<!-- example: examples/${name} -->`, readme);
      expect(shown).toBe(readFileSync(join(EXAMPLES, name), "utf8"));
    },
  );

  test("a supervisor takes ten lines", () => {
    const lines = readFileSync(join(EXAMPLES, "supervisor.mjs"), "utf8").split("\n");
    expect(lines.filter((line) => line.trim() !== "")).toHaveLength(10);
  });
});
