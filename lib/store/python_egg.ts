/**
 * Unpacking of Python eggs, all in memory: wheels, `.egg` files, and source archives that need no
 * build step. No code of an egg is ever run.
 *
 * What is unpacked is laid out as below a prefix: `site/` is what `PYTHONPATH` names, `bin/` has
 * the commands.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { PythonFile, PythonManifest } from "../model/python.ts";
import { readCoreMetadata, readRequiresText } from "../model/python_metadata.ts";
import { normalizeProjectName } from "../model/python_requirement.ts";
import { normalizePythonVersion } from "../model/python_version.ts";
import { refusedArchive } from "./entry_names.ts";
import { commandScript, readEntryPoints, withInterpreterLine } from "./python_commands.ts";
import { proveRecord } from "./python_record.ts";
import type { PythonLayout } from "./python_layout.ts";
import { COMMANDS, readZip, SITE, textOf } from "./python_layout.ts";
import { layOutSdist } from "./python_sdist.ts";
import type { ArchiveEntry, UnpackLimits } from "./unpack.ts";

/** A Python egg, unpacked. */
export interface UnpackedPythonEgg {
  /** Paths below the closure: `site/six.py`, `bin/cowsay`. */
  entries: ArchiveEntry[];
  manifest: PythonManifest;
  /** Its commands by name, each with its path below the closure. */
  commands: Record<string, string>;
}

/**
 * Reads and lays out a Python egg, through the same gates as every archive.
 *
 * @param file what its name claims: its metadata must say the same
 * @throws {TransmuteError} `archive-invalid`, `path-escapes`, `digest-mismatch`
 */
export async function unpackPythonEgg(
  archive: Uint8Array,
  file: PythonFile,
  limits: UnpackLimits,
): Promise<UnpackedPythonEgg> {
  const layout = file.kind === "sdist"
    ? await layOutSdist(archive, file, limits)
    : await layOutZip(archive, file, limits);
  assertIdentity(layout.manifest, file);
  return withCommands(layout);
}

async function layOutZip(
  archive: Uint8Array,
  file: PythonFile,
  limits: UnpackLimits,
): Promise<PythonLayout> {
  const entries = await readZip(archive, limits);
  return file.kind === "wheel" ? await layOutWheel(entries) : layOutEgg(entries);
}

/** A wheel: its record proves every file; `*.data` has what goes elsewhere. */
async function layOutWheel(files: ArchiveEntry[]): Promise<PythonLayout> {
  const tops = new Set(files.map(({ path }) => path.split("/", 1)[0]));
  const [folder, ...others] = [...tops].filter((top) => top.endsWith(".dist-info"));
  if (folder === undefined || others.length > 0) {
    throw refusedArchive(
      `found ${others.length + Number(folder !== undefined)} .dist-info folders, wanted one`,
    );
  }
  const find = (name: string) => files.find(({ path }) => path === `${folder}/${name}`);
  const format = /^Wheel-Version:\s*(\d+)\./m.exec(textOf(find("WHEEL")) ?? "")?.[1];
  if (format !== "1") throw refusedArchive("found no WHEEL file of version 1 in the wheel");
  const metadata = textOf(find("METADATA"));
  if (metadata === null) throw refusedArchive("found no METADATA in the wheel");
  await proveRecord(files, folder);

  const elsewhere = `${folder.slice(0, -".dist-info".length)}.data/`;
  const entries = files.map((entry) => {
    if (!entry.path.startsWith(elsewhere)) return { ...entry, path: `${SITE}/${entry.path}` };
    const [kind, ...rest] = entry.path.slice(elsewhere.length).split("/");
    const below = rest.join("/");
    if (below === "") throw refusedArchive(`found the file ${entry.path}, wanted a folder`);
    switch (kind) {
      case "purelib":
      case "platlib":
        return { ...entry, path: `${SITE}/${below}` };
      case "scripts":
        return withInterpreterLine({ ...entry, path: `${COMMANDS}/${below}`, executable: true });
      case "headers":
        return { ...entry, path: `include/${below}` };
      case "data":
        return { ...entry, path: below };
      default:
        throw refusedArchive(`found the unknown folder ${elsewhere}${kind} in the wheel`);
    }
  });
  const installer = new TextEncoder().encode("transmute\n");
  return {
    entries: [
      ...entries.filter(({ path }) => path !== `${SITE}/${folder}/INSTALLER`),
      { path: `${SITE}/${folder}/INSTALLER`, bytes: installer, executable: false },
    ],
    manifest: readCoreMetadata(metadata),
    entryPoints: textOf(find("entry_points.txt")),
  };
}

/** An `.egg`: `EGG-INFO` becomes a folder of its own name, so that many can lie side by side. */
function layOutEgg(files: ArchiveEntry[]): PythonLayout {
  const find = (name: string) => textOf(files.find(({ path }) => path === `EGG-INFO/${name}`));
  const metadata = find("PKG-INFO");
  if (metadata === null) throw refusedArchive("found no EGG-INFO/PKG-INFO in the egg");
  const told = readCoreMetadata(metadata);
  const listed = readRequiresText(find("requires.txt") ?? "");
  const folder = `${told.name.replace(/[^A-Za-z0-9.]+/g, "_")}-${
    told.version.replace(/-/g, "_")
  }.egg-info`;
  const scripts = "EGG-INFO/scripts/";
  return {
    entries: files.map((entry) => {
      const { path } = entry;
      if (path.startsWith(scripts)) {
        const below = `${COMMANDS}/${path.slice(scripts.length)}`;
        return withInterpreterLine({ ...entry, path: below, executable: true });
      }
      return path.startsWith("EGG-INFO/")
        ? { ...entry, path: `${SITE}/${folder}/${path.slice("EGG-INFO/".length)}` }
        : { ...entry, path: `${SITE}/${path}` };
    }),
    manifest: { ...told, ...listed },
    entryPoints: find("entry_points.txt"),
  };
}

/** Whether the metadata inside is that of the egg that the name claims. */
function assertIdentity({ name, version }: PythonManifest, file: PythonFile): void {
  const isSame = normalizeProjectName(name) === file.project &&
    normalizePythonVersion(version) === normalizePythonVersion(file.version);
  if (isSame) return;
  throw new TransmuteError(
    "archive-invalid",
    `Cannot unpack the archive: found the metadata of ${name} ${version}, wanted ${file.project} ${file.version}`,
  );
}

/** Adds a program for every entry point that is a command, and tells all that lie in `bin/`. */
function withCommands({ entries, manifest, entryPoints }: PythonLayout): UnpackedPythonEgg {
  const all = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { name, module, object } of readEntryPoints(entryPoints ?? "")) {
    const path = `${COMMANDS}/${name}`;
    const bytes = new TextEncoder().encode(commandScript(module, object));
    all.set(path, { path, bytes, executable: true });
  }
  const commands = Array.from(all.keys())
    .filter((path) => path.startsWith(`${COMMANDS}/`))
    .map((path) => path.slice(COMMANDS.length + 1))
    .filter((name) => !name.includes("/"));
  return {
    entries: [...all.values()],
    manifest,
    commands: Object.fromEntries(commands.sort().map((name) => [name, `${COMMANDS}/${name}`])),
  };
}
