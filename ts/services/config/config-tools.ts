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
} from "./config-logic.ts";
import { validateConfig, validateSection } from "./config-validator.ts";

/** What can be done with a configuration without a service: pure, and never in place. */
export const ConfigLogic = Object.freeze({
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
});

/** The rules of a configuration; see `Config.validate` for what they throw. */
export const ConfigValidator = Object.freeze({ validate: validateConfig, validateSection });
