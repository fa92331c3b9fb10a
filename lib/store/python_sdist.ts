/**
 * Source archives of Python projects, as far as they need no build step: pure Python, laid out as
 * it is imported. A `setup.py` is never run.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { PythonFile } from "../model/python.ts";
import { readCoreMetadata, readRequiresText } from "../model/python_metadata.ts";
import { refusedArchive } from "./entry_names.ts";
import type { PythonLayout } from "./python_layout.ts";
import { readZip, SITE, textOf } from "./python_layout.ts";
import type { ArchiveEntry, UnpackLimits } from "./unpack.ts";
import { unpackTarball } from "./unpack.ts";

/** Files that only a build step makes something of that can be imported. */
const SOURCES = /\.(?:c|cc|cpp|cxx|pyx|pxd|rs|f|f90|go|swg|i)$/i;
const NO_CODE = /^(?:docs?|tests?|testing|examples?|benchmarks?)\//;

function needsBuild(found: string): TransmuteError {
  return new TransmuteError(
    "archive-invalid",
    `Cannot use the source archive: found ${found}, wanted pure Python that needs no build step`,
    { hint: "A setup.py is never run: ask its publisher for a wheel, or build one" },
  );
}

/** All files of the archive, without its one top folder. */
async function filesOf(archive: Uint8Array, limits: UnpackLimits): Promise<ArchiveEntry[]> {
  if (archive[0] === 0x1f) return await unpackTarball(archive, limits);
  const files = await readZip(archive, limits);
  const tops = new Set(files.map(({ path }) => path.split("/", 1)[0]));
  if (tops.size !== 1) throw refusedArchive(`found ${tops.size} top folders, wanted one`);
  const [top] = tops;
  return files.map((entry) => ({ ...entry, path: entry.path.slice(top.length + 1) }));
}

/** The names that it is imported by: as setuptools lists them, or the project's own. */
function importNames(files: ArchiveEntry[], file: PythonFile): string[] {
  const listed = textOf(
    files.find(({ path }) => /^(?:src\/)?[^/]+\.egg-info\/top_level\.txt$/.test(path)),
  );
  const names = listed?.split(/\r?\n/).map((name) => name.trim()).filter(Boolean) ?? [];
  return names.length > 0 ? names : [file.project.replaceAll("-", "_")];
}

/**
 * Lays out a source archive.
 *
 * @throws {TransmuteError} `archive-invalid` when it needs a build step, naming what does
 */
export async function layOutSdist(
  archive: Uint8Array,
  file: PythonFile,
  limits: UnpackLimits,
): Promise<PythonLayout> {
  const files = await filesOf(archive, limits);
  const find = (name: string) => files.find(({ path }) => path === name);
  const metadata = textOf(find("PKG-INFO"));
  if (metadata === null) throw needsBuild("no PKG-INFO");
  const compiled = files.find(({ path }) => SOURCES.test(path) && !NO_CODE.test(path));
  if (compiled !== undefined) throw needsBuild(compiled.path);
  const told = readCoreMetadata(metadata);

  const inInfo = (name: string) =>
    textOf(files.find(({ path }) => new RegExp(`^(?:src/)?[^/]+\\.egg-info/${name}$`).test(path)));
  const hasInfo = files.some(({ path }) => /^(?:src\/)?[^/]+\.egg-info\/PKG-INFO$/.test(path));
  const project = textOf(find("pyproject.toml")) ?? "";
  if (!hasInfo && find("setup.py") !== undefined) throw needsBuild("requirements in its setup.py");
  if (!hasInfo && /^\[(?:project|tool\.[\w-]+)\.(?:gui-)?(?:scripts|entry-points)/m.test(project)) {
    throw needsBuild("commands in its pyproject.toml");
  }
  if (/^Dynamic:\s*Requires-Dist/mi.test(metadata) && !hasInfo) {
    throw needsBuild("requirements that are not in its PKG-INFO");
  }
  const requires = inInfo("requires\\.txt");
  const listed = requires === null ? {} : readRequiresText(requires);

  const entries: ArchiveEntry[] = [];
  for (const name of importNames(files, file)) {
    const [root, ...others] = ["", "src/", "lib/"].filter((it) =>
      files.some(({ path }) => path === `${it}${name}.py` || path.startsWith(`${it}${name}/`))
    );
    if (root === undefined) throw needsBuild(`no ${name} to import`);
    // Only its setup.py knows which of them is meant.
    if (others.length > 0) throw needsBuild(`${root}${name} and ${others[0]}${name}`);
    for (const entry of files) {
      const below = entry.path.slice(root.length);
      const isOwn = entry.path.startsWith(root) &&
        (below === `${name}.py` || below.startsWith(`${name}/`));
      if (isOwn) entries.push({ ...entry, path: `${SITE}/${below}` });
    }
  }
  const info = `${SITE}/${file.project.replaceAll("-", "_")}-${told.version}.dist-info`;
  const entryPoints = inInfo("entry_points\\.txt");
  const encoder = new TextEncoder();
  const added: [name: string, text: string][] = [["METADATA", metadata], [
    "INSTALLER",
    "transmute\n",
  ]];
  if (entryPoints !== null) added.push(["entry_points.txt", entryPoints]);
  for (const [name, text] of added) {
    entries.push({ path: `${info}/${name}`, bytes: encoder.encode(text), executable: false });
  }
  return { entries, manifest: { ...told, ...listed }, entryPoints };
}
