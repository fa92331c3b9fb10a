/**
 * Packing as one module: an egg with everything that its entry imports in one file, which loads
 * wherever a file does, single executables among them.
 *
 * The bundler is one that the author has: what it makes of the same sources may differ between its
 * versions, so such an egg is the same bytes only for who uses the same one.
 *
 * @module
 */

import { describeError } from "../errors.ts";
import type { Json } from "../model/json.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath, joinPath } from "../runtime/paths.ts";
import { randomName } from "../store/files.ts";
import type { BuiltFiles, PackageJson, PackedEgg } from "./pack.ts";
import { packEntries } from "./pack.ts";
import { cannotPack } from "./pack_failure.ts";

/** Bundlers, in the order in which they are looked for, and how each is told. */
const BUNDLERS: [program: string, args: (entry: string, output: string) => string[]][] = [
  ["deno", (entry, output) => ["bundle", "--quiet", "--output", output, entry]],
  [
    "bun",
    (entry, output) => ["build", entry, "--target=node", "--format=esm", "--outfile", output],
  ],
  [
    "esbuild",
    (entry, output) => [
      ...[entry, "--bundle", "--platform=node", "--format=esm", `--outfile=${output}`],
    ],
  ],
];
const BUNDLE_MS = 5 * 60 * 1000;
/** The fields of a manifest that still hold when everything is in one file. */
const KEPT_FIELDS = ["description", "license", "author", "homepage", "repository", "os", "cpu"];

function readPackage(root: string): Json {
  try {
    return JSON.parse(runtime.readTextFile(joinPath(root, "package.json")));
  } catch {
    return {};
  }
}

/** The file that a package is imported as, as far as that is said in few words. */
function entryOf({ exports, module, main }: Json): string | undefined {
  const root = typeof exports === "object" && exports !== null && "." in exports
    ? (exports as Json)["."]
    : exports;
  const conditions = typeof root === "object" && root !== null ? root as Json : {};
  return [root, conditions.import, conditions.default, module, main]
    .find((path): path is string => typeof path === "string");
}

/**
 * Bundles and packs a folder, with whatever its entry imports, dependencies in `node_modules` among
 * that.
 *
 * @param built name, version and entry, where no `package.json` has them
 * @throws {TransmuteError} `archive-invalid` where there is no entry, no bundler, or what it cannot
 * bundle
 */
export async function packBundle(folder: string, built?: BuiltFiles): Promise<PackedEgg> {
  const root = absolutePath(folder, runtime.workingDirectory());
  const found = readPackage(root);
  const name = built?.name ?? found.name;
  const version = built?.version ?? found.version;
  if (typeof name !== "string" || typeof version !== "string") {
    throw cannotPack(`found no name and version in ${folder}, wanted a package.json with both`);
  }
  const entry = joinPath(root, built?.entry ?? entryOf(found) ?? "index.js");
  if (runtime.status(entry)?.kind !== "file") throw cannotPack(`found no ${entry} to begin with`);
  const text = await bundled(root, entry);
  const kept = Object.fromEntries(
    KEPT_FIELDS.filter((field) => found[field] !== undefined).map((field) => [field, found[field]]),
  );
  const manifest = { ...kept, name, version, type: "module", exports: "./index.js" } as PackageJson;
  return await packEntries(manifest, { "index.js": text });
}

/** The text of the bundle, by the first bundler that is there. */
async function bundled(root: string, entry: string): Promise<string> {
  const output = joinPath(root, `.${randomName()}.mjs`);
  try {
    for (const [program, args] of BUNDLERS) {
      const command = { path: program, args: args(entry, output), env: {} };
      const end = await runtime.run(command, AbortSignal.timeout(BUNDLE_MS), { showErrors: true })
        .catch((error) => {
          if (runtime.fileErrorKind(error) === "missing") return null;
          throw cannotPack(`found that ${program} does not run (${describeError(error)})`);
        });
      if (end === null) continue;
      if (end.code === 0) return runtime.readTextFile(output);
      throw cannotPack(
        `found that ${program} could not bundle it, and ended with exit code ${end.code}`,
      );
    }
  } finally {
    if (runtime.status(output) !== null) runtime.remove(output);
  }
  const programs = BUNDLERS.map(([program]) => program).join(", ");
  throw cannotPack(`found no bundler, wanted one of ${programs} on PATH`);
}
