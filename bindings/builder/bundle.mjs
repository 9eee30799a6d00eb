import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix, relative } from "node:path";
import { filesBelow } from "./stamp.mjs";
import { BuildError } from "./tool.mjs";

/** Where shared code lies, below `dist`. */
const CHUNK_FOLDER = "ts/chunks";

/** Folders of TypeScript sources; the output has the same names below `dist`. */
const SOURCE_FOLDERS = ["ts", "bindings"];

const BEAM_LIST = "ts/beam/index.ts";
const PUBLIC_LIST = "ts/index.ts";

const OWN_URL = "import.meta.url";
/** Stands for it until it is known which file a module's code is in. */
const PLACE_OF = "__placeOf";
const PLACES = new RegExp(`${PLACE_OF}\\("([^"]+)"\\)`, "g");

/**
 * The files that shared code is put into, and what goes there: what these modules import, with all
 * that is behind it. A module goes to the first that has it, so each list loads those above it too.
 * An isolate pays for every file that it loads, and little for a larger one.
 */
const CHUNKS = Object.freeze({
  thread: ["ts/beam/schedulers/scheduler-entry.ts"],
  process: ["ts/beam/heavy-entry.ts", "ts/beam/ecosystems/worker-entry.ts"],
  beam: [BEAM_LIST],
  library: [PUBLIC_LIST],
  command: ["ts/cli/main.ts", "ts/cli/node/command.ts", "ts/cli/ping/command.ts"],
  index: ["ts/cli/index/command.ts", "ts/cli/index/worker.ts"],
});

/**
 * Writes the JavaScript: every module under its own name, as the exports of the chunk that it is
 * in. So whoever imports what, by whatever name, a module exists once in an isolate.
 *
 * @param {string} root folder of the checkout
 */
export async function bundle(root) {
  const { rolldown } = await import("rolldown");
  const sources = SOURCE_FOLDERS.flatMap((folder) => [...filesBelow(join(root, folder))])
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts"))
    .map((path) => relative(root, path));
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(sources.map((source) => [source.slice(0, -".ts".length), source])),
    platform: "node",
    // Modules, where a package has them beside its older form: they need no wrapping.
    resolve: { mainFields: ["module", "main"] },
    external: packagesOf(readManifest(root)),
    preserveEntrySignatures: "strict",
    transform: { target: "es2023" },
    plugins: [await ownPlaces(root)],
  });
  removeScripts(root);
  try {
    const { output } = await build.write(outputOptions(root));
    writeNotices(root, output);
  } catch (cause) {
    const { message } = /** @type {Error} */ (cause);
    throw new BuildError("the JavaScript cannot be bundled", { output: `${message}\n`, cause });
  } finally {
    await build.close();
  }
}

/** @param {string} root @returns {import("rolldown").OutputOptions} */
function outputOptions(root) {
  const groups = Object.entries(CHUNKS).map(([name, entries], index, { length }) => ({
    debugName: name,
    priority: length - index,
    name: (/** @type {string} */ id, /** @type {import("rolldown").ChunkingContext} */ graph) => {
      const importers = graph.getModuleInfo(id)?.importers ?? [];
      // The lists are imported by each other and the commands, and are code of their own chunks.
      const isList = [BEAM_LIST, PUBLIC_LIST].includes(relative(root, id));
      const places = isList ? [id] : importers;
      return places.some((place) => entries.includes(relative(root, place))) ? name : null;
    },
  }));
  return {
    dir: join(root, "dist"),
    format: "esm",
    entryFileNames: "[name].js",
    chunkFileNames: `${CHUNK_FOLDER}/[name].js`,
    codeSplitting: { groups },
    // Names stay as they are written: stacks and labels show them.
    minifyInternalExports: false,
    comments: { legal: true, annotation: false, jsdoc: false },
    sourcemap: true,
    // The package has no sources; a checkout has them where the map says.
    sourcemapExcludeSources: true,
  };
}

/** What an earlier build wrote. @param {string} root */
function removeScripts(root) {
  for (const folder of SOURCE_FOLDERS) {
    for (const path of filesBelow(join(root, "dist", folder))) {
      if (/\.js(?:\.map)?$/.test(path)) rmSync(path);
    }
  }
}

/**
 * Lets `import.meta.url` be the place of the module in `dist`, wherever its code went: files beside
 * a module are named relative to it.
 *
 * @param {string} root
 * @returns {Promise<import("rolldown").Plugin>}
 */
async function ownPlaces(root) {
  const { parseSync, Visitor } = await import("rolldown/utils");
  return {
    name: "own-places",
    transform: {
      filter: { id: /\.ts$/, code: OWN_URL },
      handler(code, id) {
        /** @type {{ start: number, end: number }[]} */
        const found = [];
        const visitor = new Visitor({
          MemberExpression: (node) => {
            if (code.slice(node.start, node.end) === OWN_URL) found.push(node);
          },
        });
        visitor.visit(parseSync(id, code).program);
        const place = relative(root, id).split("\\").join("/").replace(/\.ts$/, ".js");
        let text = code;
        for (const { start, end } of found.reverse()) {
          text = `${text.slice(0, start)}${PLACE_OF}("${place}")${text.slice(end)}`;
        }
        // Lines stay as they are, so the map of the source does as well.
        return { code: text, map: null };
      },
    },
    renderChunk(code, { fileName }) {
      const text = code.replace(PLACES, (_, place) => {
        if (place === fileName) return OWN_URL;
        return `new URL("${posix.relative(posix.dirname(fileName), place)}", ${OWN_URL}).href`;
      });
      return text === code ? null : { code: text, map: null };
    },
  };
}

/** Packages that are looked for when the code runs. @param {ReturnType<typeof readManifest>} of */
function packagesOf({ dependencies, peerDependencies }) {
  return Object.keys({ ...dependencies, ...peerDependencies });
}

/** @param {string} folder */
function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

/**
 * The licences of the packages whose code is in ours.
 *
 * @param {string} root
 * @param {import("rolldown").RolldownOutput["output"]} output
 */
function writeNotices(root, output) {
  const modules = output.flatMap((file) => (file.type === "chunk" ? file.moduleIds : []));
  const names = modules.map((id) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(id)?.[1]);
  const packages = [...new Set(names.filter((name) => name !== undefined))].sort();
  const notices = packages.map((name) => {
    const folder = join(root, "node_modules", name);
    const { version } = readManifest(folder);
    const licence = readFileSync(join(folder, "LICENSE"), "utf8").trim();
    return `${name} ${version}\n\n${licence}\n`;
  });
  const path = join(root, "dist", CHUNK_FOLDER, "LICENSES.txt");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, notices.join(`\n${"-".repeat(72)}\n\n`));
}
