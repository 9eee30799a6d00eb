import {
  generateCorrelationId,
  generateId,
  isValidPositiveInteger,
  monotonicTimestamp,
  wallTimestamp,
} from "./identifiers.ts";
import { measure, measureMemory, processStats, systemStats } from "./measures.ts";
import {
  atomizeKeys,
  deepMerge,
  getNested,
  isForbiddenKey,
  isPlainObject,
  putNested,
  stringifyKeys,
} from "./nested.ts";
import { retry } from "./retry.ts";
import { deepSize, safeInspect, truncateIfLarge } from "./sizes.ts";
import { formatBytes, formatDuration, isBlank, isPresent, sanitizeString } from "./text.ts";

/** Small functions that the services use themselves: those of Foundation 1.x. */
export const Utils = Object.freeze({
  atomizeKeys,
  deepMerge,
  deepSize,
  formatBytes,
  formatDuration,
  generateCorrelationId,
  generateId,
  getNested,
  isBlank,
  isForbiddenKey,
  isPlainObject,
  isPresent,
  isValidPositiveInteger,
  measure,
  measureMemory,
  monotonicTimestamp,
  processStats,
  putNested,
  retry,
  safeInspect,
  sanitizeString,
  stringifyKeys,
  systemStats,
  truncateIfLarge,
  wallTimestamp,
});
