/**
 * A test that names tests of Foundation 1.x in its title, and what became of it.
 *
 * @typedef {object} RanTest
 * @property {string} path from the root of the repository
 * @property {string} title
 * @property {string} state `passed`, `failed`, `skipped` or `pending`
 */

/** Where the outcome of a run is written. */
export const RAN_FILE = "build/parity/ran.json";

/** The page that lists every test of Foundation 1.x. */
export const PAGE_FILE = "docs/parity-1x.md";

const ROW = /^\| (F\d{3}) \| (.+?) \|.*\|$/gm;
const IDS = /\[(F\d{3}(?: F\d{3})*)\]/;

/**
 * What is wrong with the page after a run: lines without a test, and those whose test was not
 * there, did not run, or did not pass.
 *
 * @param {string} page
 * @param {readonly RanTest[]} ran
 * @returns {string[]}
 */
export function unproven(page, ran) {
  const rows = [...page.matchAll(ROW)];
  if (rows.length === 0) return [`${PAGE_FILE} has no lines`];
  return rows.flatMap(([, id = "", place = ""]) => {
    if (place === "does not apply") return [];
    if (place === "not yet") return [`${id}: no test of ours`];
    const path = `test/${place}`;
    const tests = ran.filter((test) => test.path === path && idsIn(test.title).includes(id));
    if (tests.length === 0) return [`${id}: no test of ${path} ran`];
    return tests
      .filter(({ state }) => state !== "passed")
      .map(({ title, state }) => `${id}: ${path} > ${title}: ${state}`);
  });
}

/**
 * The ids of the original's tests that a title names.
 *
 * @param {string} title
 * @returns {readonly string[]}
 */
export function idsIn(title) {
  return IDS.exec(title)?.[1]?.split(" ") ?? [];
}
