/**
 * Packing: an npm tarball from a folder or from memory.
 *
 * The same content gives the same bytes on every machine and in every runtime: names are sorted,
 * times fixed, owners nobody, programs known by what they are, and compression is our own choice.
 *
 * @module
 */

import type { Json } from "../model/json.ts";
import { isObject } from "../model/json.ts";
import type { Manifest } from "../model/egg.ts";
import { isProjectName } from "../model/dependency.ts";
import { archiveStem } from "../model/egg.ts";
import { isValidVersion } from "../model/version.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath, joinPath } from "../runtime/paths.ts";
import { resolveInPackage } from "../store/module_resolution.ts";
import { PackageTree } from "../store/package_tree.ts";
import type { ArchiveEntry } from "../store/unpack.ts";
import { readManifest, readTar } from "../store/unpack.ts";
import { gzip } from "./gzip.ts";
import { cannotPack } from "./pack_failure.ts";
// Writes tar by the web's own means, in every runtime.
import { packTar, unpackTar } from "npm:modern-tar@0.8.6";

const TOP_FOLDER = "package";
/** Old enough to be nobody's real time, young enough for ZIP, which has none before 1980. */
const MODIFIED_AT = new Date("1985-10-26T08:15:00Z");
const FILE_MODE = 0o644;
const EXECUTABLE_MODE = 0o755;

/** An npm tarball, and what it is to be called. */
export interface PackedEgg {
  /** As `npm pack` names it: `@scope/hello` 1.0.0 is `scope-hello-1.0.0.tgz`. */
  filename: string;
  archive: Uint8Array;
  manifest: Manifest;
}

/** A `package.json`: the fields that Transmute acts on, and any others. */
export type PackageJson = Manifest & Record<string, unknown>;

/**
 * Packs an egg from memory.
 *
 * @param manifest becomes its `package.json`
 * @param files contents by path, '/'-separated; text as UTF-8
 * @throws {TransmuteError} `archive-invalid` or `path-escapes` for what could not be unpacked again
 *
 * @example
 * ```ts
 * import { packEntries } from "./pack.ts";
 *
 * const egg = await packEntries({ name: "@scope/hello", version: "1.0.0", type: "module" }, {
 *   "index.js": "export const greet = () => 'Hi';",
 * });
 * if (egg.filename !== "scope-hello-1.0.0.tgz") throw new Error("never");
 * ```
 */
export async function packEntries(
  manifest: PackageJson,
  files: Record<string, string | Uint8Array>,
): Promise<PackedEgg> {
  if (Object.hasOwn(files, "package.json")) {
    throw cannotPack("found a package.json among the files, wanted the manifest only");
  }
  const encoder = new TextEncoder();
  const entries: ArchiveEntry[] = Object.entries(files).map(([path, content]) => ({
    path,
    bytes: typeof content === "string" ? encoder.encode(content) : content,
    executable: false,
  }));
  return await pack([...entries, packageJsonEntry(manifest)]);
}

/** What is packed of a folder that has no `package.json` and no `deno.json`. */
export interface BuiltFiles {
  /** The project's name. */
  name: string;
  /** A SemVer version. */
  version: string;
  /** The file that the egg is imported as. @default {`index.js`, `mod.js`, or the only module} */
  entry?: string;
}

/**
 * Packs a folder.
 *
 * - With a `package.json` that has a name and a version: what `npm pack` would pack, by its own
 *   rules (`files`, `.npmignore`, …), run scripts excepted; without `files`, names that begin with a
 *   dot and other eggs stay out.
 * - Else with a `deno.json`: JavaScript of its modules and files, by `deno pack`.
 * - Else, when `built` says what it is: all of its files, as an ES module package.
 *
 * @param folder a path, absolute or relative to the working directory
 * @param built name, version and entry of files that have none; not for folders that say so
 * themselves
 * @throws {TransmuteError} `archive-invalid` for a folder that is none of these, links, an entry that
 * is not among the files, and, as `path-escapes` too, for names that could not be unpacked again;
 * `permission-missing`
 *
 * @example
 * ```ts ignore
 * import { packFolder } from "./pack.ts";
 *
 * const { filename, archive } = await packFolder("examples/hello");
 * await Deno.writeFile(filename, archive);
 * ```
 */
export async function packFolder(folder: string, built?: BuiltFiles): Promise<PackedEgg> {
  const root = absolutePath(folder, runtime.workingDirectory());
  if (runtime.status(root)?.kind !== "directory") throw cannotPack(`found no folder ${folder}`);
  const entries = await entriesOf(root, folder, built);
  const egg = await pack(entries);
  assertEntry(entries);
  return egg;
}

async function entriesOf(
  root: string,
  folder: string,
  built: BuiltFiles | undefined,
): Promise<ArchiveEntry[]> {
  const packageJson = readPackageJson(root);
  const { denoConfiguration, denoProjectFiles } = await import("./deno_project.ts");
  const configuration = denoConfiguration(root);
  if (built !== undefined) {
    if (packageJson === null && configuration === null) return builtFiles(root, built);
    throw cannotPack(`found that ${folder} has a name of its own, wanted none beside it`);
  }
  const isNamed = packageJson?.name !== undefined && packageJson.version !== undefined;
  if (packageJson !== null && (isNamed || configuration === null)) {
    const { packageFiles } = await import("./package_files.ts");
    return (await packageFiles(root, packageJson)).map((path) => readEntry(root, path));
  }
  if (configuration !== null) return await denoProjectFiles(configuration, readPlainTar);
  throw cannotPack(`found no package.json and no deno.json in ${folder}`, {
    hint: "Or tell what the files are: --name hello --release 1.0.0",
  });
}

function readPackageJson(root: string): Json | null {
  const path = joinPath(root, "package.json");
  if (runtime.status(path)?.kind !== "file") return null;
  let found: unknown;
  try {
    found = JSON.parse(runtime.readTextFile(path));
  } catch (cause) {
    throw cannotPack(`found that ${path} is no JSON`, { cause });
  }
  if (isObject(found)) return found;
  throw cannotPack(`found that ${path} is no object`);
}

/** The files of a tar that a program of our own has just written. */
async function readPlainTar(tar: Uint8Array): Promise<ArchiveEntry[]> {
  const found = await unpackTar(tar, { strip: 1 });
  return found.filter(({ header }) => header.type === "file")
    .map(({ header, data }) => ({
      path: header.name,
      bytes: data ?? new Uint8Array(),
      executable: false,
    }));
}

/** All files of a folder, and a `package.json` for them. */
function builtFiles(root: string, { name, version, entry }: BuiltFiles): ArchiveEntry[] {
  const entries: ArchiveEntry[] = [];
  collect(root, "", entries);
  const modules = entries.map(({ path }) => path).filter((path) => /\.m?js$/.test(path));
  const found = entry?.replace(/^\.\//, "") ??
    ["index.js", "mod.js"].find((path) => modules.includes(path)) ??
    (modules.length === 1 ? modules[0] : undefined);
  if (found === undefined) {
    throw cannotPack(
      `found ${modules.length} modules in ${root}, wanted to know which is its entry`,
      {
        hint: "Name it with --entry, or call it index.js",
      },
    );
  }
  const packageJson = { name, version, type: "module", exports: `./${found}` };
  return [...entries, packageJsonEntry(packageJson)];
}

function packageJsonEntry(packageJson: Record<string, unknown>): ArchiveEntry {
  const text = `${JSON.stringify(packageJson, null, 2)}\n`;
  return { path: "package.json", bytes: new TextEncoder().encode(text), executable: false };
}

/** Adds the files of a folder, except below `node_modules`, dot-files and eggs. */
function collect(root: string, below: string, entries: ArchiveEntry[]): void {
  for (const name of runtime.list(joinPath(root, below))) {
    if (name === "node_modules" || name.startsWith(".") || name.endsWith(".tgz")) continue;
    const path = below === "" ? name : `${below}/${name}`;
    if (runtime.status(joinPath(root, path))?.kind === "directory") collect(root, path, entries);
    else entries.push(readEntry(root, path));
  }
}

/** A file of a folder. Links are refused: where they lead is not part of the folder. */
function readEntry(root: string, path: string): ArchiveEntry {
  const whole = joinPath(root, path);
  if (runtime.status(whole)?.kind === "file") {
    return { path, bytes: runtime.readFile(whole), executable: false };
  }
  throw cannotPack(`found that ${whole} is neither a file nor a folder`);
}

/** What an egg says it is imported as must be in it: links and forgotten builds are not. */
function assertEntry(entries: ArchiveEntry[]): void {
  const location = "egg";
  const files = new Map(entries.map(({ path, bytes }) => [path, bytes]));
  const tree = new PackageTree([{ location, files }]);
  const { main, exports } = tree.fieldsOf(location) ?? {};
  const wanted = isObject(exports) && Object.keys(exports).some((key) => key.startsWith("."))
    ? exports["."]
    : exports ?? main;
  if (wanted === undefined || wanted === null) return;
  const isThere = (["import", "require"] as const)
    .some((mode) => resolveInPackage(tree, location, ".", mode).kind === "file");
  if (isThere) return;
  throw cannotPack(`found no file for its entry ${JSON.stringify(wanted)} among those to pack`, {
    hint: "Build it first; links are not packed, nor what files and .npmignore leave out",
  });
}

/** The files that a manifest's `bin` makes commands, as paths of the archive. */
function commands(packageJson: { bin?: unknown }): Set<string> {
  const { bin } = packageJson;
  const paths = typeof bin === "object" && bin !== null ? Object.values(bin) : [bin];
  return new Set(
    paths.filter((path) => typeof path === "string").map((path) => path.replace(/^(?:\.?\/)+/, "")),
  );
}

/** The first bytes of programs: a script's interpreter, ELF, Mach-O in both orders and universal. */
const PROGRAM_STARTS = [
  [0x23, 0x21],
  [0x7f, 0x45, 0x4c, 0x46],
  [0xcf, 0xfa, 0xed, 0xfe],
  [0xfe, 0xed, 0xfa, 0xcf],
  [0xca, 0xfe, 0xba, 0xbe],
];

/** Whether a file can be run: by its content, since not every file system has the mode for it. */
function isProgram(bytes: Uint8Array): boolean {
  return PROGRAM_STARTS.some((start) => start.every((byte, index) => bytes[index] === byte));
}

async function pack(entries: ArchiveEntry[]): Promise<PackedEgg> {
  const manifest = readManifest(entries);
  const { name, version } = manifest;
  if (!isProjectName(name)) throw cannotPack(`found the name "${name}", wanted a project's name`);
  if (!isValidVersion(version)) {
    throw cannotPack(`found the version "${version}", wanted one such as 1.2.3`);
  }
  const packageJson = entries.find(({ path }) => path === "package.json")!;
  const programs = commands(JSON.parse(new TextDecoder().decode(packageJson.bytes)));
  const tar = await packTar(
    entries.toSorted((one, other) => one.path < other.path ? -1 : 1).map((entry) => ({
      header: {
        name: `${TOP_FOLDER}/${entry.path}`,
        type: "file" as const,
        size: entry.bytes.length,
        mode: isProgram(entry.bytes) || programs.has(entry.path) ? EXECUTABLE_MODE : FILE_MODE,
        mtime: MODIFIED_AT,
        uid: 0,
        gid: 0,
      },
      body: entry.bytes,
    })),
  );
  // What this version packs, it must take: its author learns of a bad name before its users do.
  readTar(tar, { maxUnpackedBytes: Infinity });
  return {
    filename: `${archiveStem(name)}-${version}.tgz`,
    archive: gzip(tar),
    manifest,
  };
}
