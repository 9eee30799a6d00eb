import { describe, expect, test } from "vitest";
import { DEFAULT_CONFIG, UPDATABLE_PATHS } from "../../ts/services/config/config-defaults.ts";
import {
  buildConfig,
  diffConfigs,
  getConfigValue,
  isUpdatablePath,
  mergeEnvConfig,
  mergeOptsConfig,
  newConfig,
  resetConfig,
  updatablePaths,
  updateConfig,
} from "../../ts/services/config/config-logic.ts";
import { validateConfig, validateSection } from "../../ts/services/config/config-validator.ts";
import type { PlainObject } from "../../ts/services/toolkit/nested.ts";

const plain = (value: unknown): PlainObject => value as PlainObject;
const refusal = (code: string, numericCode: number): unknown =>
  expect.objectContaining({ code, numericCode });

describe("validation", () => {
  test("accepts the defaults, and a complete section [F160 F582 F586]", () => {
    validateConfig(DEFAULT_CONFIG);
    validateSection("ai", DEFAULT_CONFIG.ai);
    expect(() => validateConfig(newConfig())).not.toThrow();
  });

  test("accepts a complete configuration of models [F161]", () => {
    const ai = {
      provider: "anthropic",
      apiKey: "a key",
      model: "any",
      analysis: { maxFileSize: 1, timeout: 1, cacheTtl: 1 },
      planning: { defaultStrategy: "thorough", performanceTarget: 0, samplingRate: 0 },
    };
    expect(() => validateSection("ai", ai)).not.toThrow();
  });

  test.each([
    [
      "an unknown provider [F162 F583]",
      { ai: { provider: "other" } },
      "invalid_config_value",
      1002,
    ],
    [
      "a rate above 1 [F163 F585]",
      { ai: { planning: { samplingRate: 1.5 } } },
      "range_error",
      1004,
    ],
    ["a negative rate", { ai: { planning: { samplingRate: -0.1 } } }, "range_error", 1004],
    [
      "a negative target",
      { ai: { planning: { performanceTarget: -1 } } },
      "constraint_violation",
      1003,
    ],
    [
      "an unknown strategy [F587]",
      { ai: { planning: { defaultStrategy: "slow" } } },
      "invalid_config_value",
      1002,
    ],
    [
      "a negative ring [F584]",
      { capture: { ringBuffer: { size: -1 } } },
      "validation_failed",
      1001,
    ],
    [
      "an unknown overflow",
      { capture: { ringBuffer: { overflowStrategy: "error" } } },
      "invalid_config_value",
      1002,
    ],
    ["a switch that is none", { dev: { debugMode: "yes" } }, "validation_failed", 1001],
    ["a cold store", { storage: { cold: { enable: true } } }, "validation_failed", 1001],
    [
      "a warm store without a place",
      { storage: { warm: { enable: true, path: "" } } },
      "validation_failed",
      1001,
    ],
    ["a key that is none", { interface: { queryTimeuot: 1 } }, "validation_failed", 1001],
    ["a section that is no object", { dev: 7 }, "invalid_config_structure", 1101],
  ] as const)("refuses %s", (_name, part, code, numericCode) => {
    const config = buildConfig(plain(part));
    expect(() => validateConfig(config)).toThrow(refusal(code, numericCode) as never);
  });

  test.each([undefined, null, 7, "text", [], new Map()])("refuses %s as a whole", (config) => {
    expect(() => validateConfig(config)).toThrow(
      refusal("invalid_config_structure", 1101) as never,
    );
  });

  test("says what is missing, and shows no secret", () => {
    const { model: _model, ...ai } = DEFAULT_CONFIG.ai;
    expect(() => validateConfig({ ...DEFAULT_CONFIG, ai })).toThrow(
      refusal("missing_required_field", 1102) as never,
    );
    const secret = { ...DEFAULT_CONFIG, ai: { ...DEFAULT_CONFIG.ai, apiKey: 12_345 } };
    expect(() => validateConfig(secret)).toThrow(
      expect.objectContaining({ context: { path: ["ai", "apiKey"], value: "[redacted]" } }),
    );
  });
});

describe("paths that can be changed", () => {
  test("are thirteen lists of names [F006 F391]", () => {
    expect(updatablePaths()).toHaveLength(13);
    for (const path of updatablePaths()) {
      expect(getConfigValue(plain(DEFAULT_CONFIG), path)).toBeDefined();
    }
  });

  test("are known in both spellings [F392]", () => {
    expect(isUpdatablePath(["ai", "planning", "samplingRate"])).toBe(true);
    expect(isUpdatablePath(["ai", "planning", "sampling_rate"])).toBe(true);
  });

  test.each([[[]], [["ai"]], [["ai", "provider"]], [["ai", "planning"]], [["no", "such"]]])(
    "do not include %j [F393]",
    (path) => {
      expect(isUpdatablePath(path)).toBe(false);
    },
  );
});

describe("a changed configuration", () => {
  test("has the new value, and the old one stays as it was [F394]", () => {
    const before = newConfig();
    const after = updateConfig(before, ["ai", "planning", "sampling_rate"], 0.5);
    expect(after.ai.planning.samplingRate).toBe(0.5);
    expect(before.ai.planning.samplingRate).toBe(1);
    expect(after.dev).toEqual(before.dev);
  });

  test("is refused where the path cannot be changed [F395]", () => {
    expect(() => updateConfig(newConfig(), ["ai", "provider"], "openai")).toThrow(
      expect.objectContaining({
        code: "config_update_forbidden",
        context: { path: ["ai", "provider"], allowedPaths: UPDATABLE_PATHS },
      }),
    );
  });

  test("is refused where it is not valid [F396]", () => {
    expect(() => updateConfig(newConfig(), ["ai", "planning", "samplingRate"], 2)).toThrow(
      refusal("range_error", 1004) as never,
    );
  });
});

describe("reading", () => {
  test("gives what lies at a path, null and false included [F397]", () => {
    const config = plain(newConfig());
    expect(getConfigValue(config, ["ai", "provider"])).toBe("mock");
    expect(getConfigValue(config, ["ai", "apiKey"])).toBeNull();
    expect(getConfigValue(config, ["dev", "debug_mode"])).toBe(false);
  });

  test("gives all for an empty path [F398]", () => {
    const config = newConfig();
    expect(getConfigValue(plain(config), [])).toBe(config);
  });

  test("says which name is close to a wrong one [F399]", () => {
    expect(() => getConfigValue(plain(newConfig()), ["ai", "planing", "x"])).toThrow(
      expect.objectContaining({
        code: "config_path_not_found",
        message: "there is nothing at ai.planing.x; did you mean 'planning'?",
      }),
    );
  });
});

describe("merging", () => {
  test("what comes from the environment keeps its neighbours, and unknown keys out [F400]", () => {
    const env = { ai: { planning: { samplingRate: 0.25 }, unknown: 1 }, other: {} };
    const merged = mergeEnvConfig(newConfig(), env);
    expect(merged.ai.planning).toEqual({ ...DEFAULT_CONFIG.ai.planning, samplingRate: 0.25 });
    expect(merged).toEqual({ ...DEFAULT_CONFIG, ai: merged.ai });
  });

  test("what code says replaces whole sections", () => {
    const dev = { debugMode: true };
    expect(mergeOptsConfig(newConfig(), { dev }).dev).toEqual(dev);
  });

  test("a difference names old, new and path, and no secret [F401]", () => {
    const after = newConfig({ ai: { apiKey: "hidden", planning: { samplingRate: 0.5 } } });
    expect(diffConfigs(plain(newConfig()), plain(after))).toEqual({
      ai: {
        apiKey: { old: null, new: "[redacted]", path: ["ai", "apiKey"] },
        planning: {
          samplingRate: { old: 1, new: 0.5, path: ["ai", "planning", "samplingRate"] },
        },
      },
    });
  });

  test("there is none between equal ones [F402]", () => {
    expect(diffConfigs(plain(newConfig()), plain(resetConfig()))).toEqual({});
  });
});

describe("a new configuration", () => {
  test("has the defaults, and what is given over them [F535 F536]", () => {
    expect(newConfig()).toEqual(DEFAULT_CONFIG);
    const config = newConfig({ dev: { debugMode: true }, ai: { provider: "gemini" } });
    expect(config.dev).toEqual({ ...DEFAULT_CONFIG.dev, debugMode: true });
    expect(config.ai).toEqual({ ...DEFAULT_CONFIG.ai, provider: "gemini" });
  });

  test("is read by its properties, and never changed in place [F537 F538 F539]", () => {
    const config = newConfig();
    expect(config.ai.planning.samplingRate).toBe(1);
    expect(() => Object.assign(config.ai.planning, { samplingRate: 0 })).toThrow(TypeError);
    const next = updateConfig(config, ["interface", "maxResults"], 7);
    expect([config.interface.maxResults, next.interface.maxResults]).toEqual([1_000, 7]);
  });
});
