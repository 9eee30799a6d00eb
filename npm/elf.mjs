import { execFileSync } from "node:child_process";

/**
 * The newest glibc that a shared library asks for, e.g. "2.28": it does not load below.
 *
 * @param {string} file
 * @returns {string} "0" where it asks for none
 */
export function glibcFloor(file) {
  const text = execFileSync("readelf", ["--version-info", "--wide", file], { encoding: "utf8" });
  const versions = [...text.matchAll(/\bGLIBC_(\d+(?:\.\d+)+)\b/g)].map((match) => match[1] ?? "0");
  return versions.reduce((highest, version) => {
    return compareVersions(version, highest) > 0 ? version : highest;
  }, "0");
}

/**
 * Shared libraries that a file needs beside glibc's own and those that Node itself runs on.
 *
 * @param {string} file
 * @returns {string[]}
 */
export function foreignLibraries(file) {
  const text = execFileSync("readelf", ["--dynamic", "--wide", file], { encoding: "utf8" });
  const needed = [...text.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map((match) => match[1] ?? "");
  return needed.filter(
    (name) => !/^(?:ld-linux|lib(?:c|m|dl|pthread|rt|util|stdc\+\+|gcc_s)\.so)/.test(name),
  );
}

/**
 * Below 0 where `left` is the older of two dotted versions.
 *
 * @param {string} left
 * @param {string} right
 */
export function compareVersions(left, right) {
  const [a, b] = [left, right].map((version) => version.split(".").map(Number));
  for (let index = 0; index < Math.max(a?.length ?? 0, b?.length ?? 0); index++) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
