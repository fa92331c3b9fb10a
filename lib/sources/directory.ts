/**
 * A folder of eggs: `npm pack` archives, each with an optional `.sha256` file beside it. Looked at
 * on every start, so its fingerprint must stay cheap.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { Release } from "../model/egg.ts";
import { archiveStem } from "../model/egg.ts";
import { fingerprintOf } from "../model/fingerprint.ts";
import { runtime } from "../runtime/current.ts";
import { absolutePath, joinPath, pathOfFileUrl } from "../runtime/paths.ts";
import {
  companionDigest,
  companionName,
  isEggFile,
  releaseOf,
  versionInName,
} from "./egg_files.ts";
import type { Source, SourceContext } from "./source.ts";

const WRITABLE_BY_ANYONE = 0o002;

/** The folder of an address: a path, or a `file:` URL. */
function folderOf(address: string): string {
  const path = address.startsWith("file:") ? pathOfFileUrl(address) : address;
  return absolutePath(path, runtime.workingDirectory());
}

/** The names of its files, sorted; `null` when the folder is not there. */
function listFolder(folder: string): string[] | null {
  try {
    return runtime.list(folder).sort();
  } catch (error) {
    if (runtime.fileErrorKind(error) === "missing") return null;
    throw error;
  }
}

function assertNotWritableByAnyone(path: string, mode: number | null, source: string): void {
  if (mode === null || (mode & WRITABLE_BY_ANYONE) === 0) return;
  throw new TransmuteError(
    "source-denied",
    `Cannot take eggs from ${path}: any user may write there (mode 0${mode.toString(8)})`,
    { source, hint: `Run: chmod o-w '${path}'` },
  );
}

/**
 * Opens a folder as a source.
 *
 * @param address a path, relative to the working directory, or a `file:` URL
 */
export function directorySource(address: string): Source {
  const folder = folderOf(address);
  const id = folder;

  /** What is there, looked at once for each update: it may ask for hundreds of projects. */
  let seen: { context: SourceContext; names: Set<string> } | undefined;

  function namesIn(context: SourceContext): Set<string> {
    if (seen?.context === context) return seen.names;
    const names = listFolder(folder);
    if (names === null) {
      throw new TransmuteError(
        "source-unreachable",
        `Cannot list ${folder}: there is no such folder`,
        { source: id },
      );
    }
    // The trailing dot follows a link to the folder itself.
    assertNotWritableByAnyone(folder, runtime.status(`${folder}/.`)?.mode ?? null, id);
    seen = { context, names: new Set(names) };
    return seen.names;
  }

  function release(project: string, name: string, names: Set<string>): Release | null {
    if (versionInName(project, name) === null) return null;
    const path = joinPath(folder, name);
    const status = runtime.status(path);
    if (status?.kind !== "file") return null;
    assertNotWritableByAnyone(path, status.mode, id);
    const companion = companionName(name);
    const digests = names.has(companion)
      ? [companionDigest(runtime.readTextFile(joinPath(folder, companion)))]
      : [];
    const { sizeBytes, modifiedAt } = status;
    return releaseOf(project, {
      name,
      locator: path,
      sizeBytes,
      validator: String(modifiedAt),
      digests,
    });
  }

  /** The bytes of a file that was listed. */
  function read(path: string, { maxDownloadBytes }: SourceContext): Uint8Array {
    const status = runtime.status(path);
    if (status?.kind !== "file") {
      throw new TransmuteError("egg-missing", `Cannot read ${path}: it is gone`, { source: id });
    }
    if (status.sizeBytes > maxDownloadBytes) {
      throw new TransmuteError(
        "size-mismatch",
        `Cannot take ${path}: it has ${status.sizeBytes} bytes, wanted at most ${maxDownloadBytes}`,
        { source: id },
      );
    }
    return runtime.readFile(path);
  }

  return {
    id,
    kind: "local",
    ecosystems: ["js", "python"],

    fingerprint() {
      const names = listFolder(folder);
      if (names === null) return null;
      let print = "";
      for (const name of names) {
        // Of a signed repository, the one file that changes with every other.
        const file = name === "metadata" ? "metadata/timestamp.json" : name;
        if (file === name && !isEggFile(name)) continue;
        const status = runtime.status(joinPath(folder, file));
        print += `${name} ${status?.sizeBytes} ${status?.modifiedAt}\n`;
      }
      return fingerprintOf(print);
    },

    async list(project, context, ecosystem = "js") {
      const names = namesIn(context);
      if (ecosystem === "python") {
        const { pythonReleasesIn } = await import("./python_folder.ts");
        const releases = pythonReleasesIn(
          folder,
          names,
          project,
          (path, mode) => assertNotWritableByAnyone(path, mode, id),
        );
        return { listing: { project, releases, tags: {} }, cached: false };
      }
      const stem = archiveStem(project);
      const releases = Array.from(names)
        .filter((name) => name.startsWith(stem))
        .flatMap((name) => release(project, name, names) ?? []);
      return { listing: { project, releases, tags: {} }, cached: false };
    },

    fetch: async ({ locator }, context) => await Promise.resolve(read(locator, context)),

    pythonMetadata: async ({ python }, context) =>
      await Promise.resolve(read(python!.metadata!.locator, context)),

    files: {
      locate: (path) => Promise.resolve(joinPath(folder, path)),
      async read(question) {
        return (await import("./directory_file.ts")).readFolderFile(question, folder);
      },
    },
  };
}
