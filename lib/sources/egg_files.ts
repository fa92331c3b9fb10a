/**
 * From the files of a folder to the releases in it, wherever the folder is: on a disk, in a
 * bucket, behind a web server. Values in, values out.
 *
 * @module
 */

import type { ExecutableFile, Manifest, Release } from "../model/egg.ts";
import { archiveStem } from "../model/egg.ts";
import { manifestOfExecutable, parseExecutableName } from "../model/executable.ts";

const ARCHIVE = /\.(?:tgz|tar\.gz|whl|egg|zip)$/;
/** What may lie beside an archive: its digest, or its metadata. */
const BESIDE = /\.(?:sha256|metadata)$/;
const VERSION_AND_ENDING = /^v?(\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]*)?)\.(?:tgz|tar\.gz)$/;
const COMPANION = ".sha256";

/** A file of a folder, as the folder's listing tells of it. */
export interface EggFile {
  /** Its name in the folder. */
  name: string;
  /** Where it is fetched: an absolute path or URL, without credentials. */
  locator: string;
  /** Its size, where the listing says. */
  sizeBytes?: number;
  /** Whatever else changes when the file does: its time, an ETag. */
  validator?: string;
  /** Digests that the listing itself gives, as `algorithm:hex`. */
  digests?: string[];
  /** The egg's manifest, where the listing has it. */
  manifest?: Manifest;
  /** The file beside it with its digest, where that is not read yet. */
  companion?: Pick<EggFile, "locator" | "sizeBytes" | "validator">;
}

/** Whether a file is an archive or lies beside one; all others are of no interest. */
export function isEggFile(name: string): boolean {
  const archive = name.replace(BESIDE, "");
  return ARCHIVE.test(archive) || parseExecutableName(archive) !== null;
}

/** The name of the file that holds an archive's digest. */
export function companionName(archive: string): string {
  return archive + COMPANION;
}

/** The digest in a companion: its first word, as `sha256sum` writes it. No digest matches no bytes. */
export function companionDigest(text: string): string {
  return `sha256:${text.trim().split(/\s/)[0].toLowerCase()}`;
}

/** The version that a file's name claims if it is an archive of `project`, else `null`. */
export function versionInName(project: string, name: string): string | null {
  const stem = `${archiveStem(project)}-`;
  return name.startsWith(stem)
    ? VERSION_AND_ENDING.exec(name.slice(stem.length))?.[1] ??
      executableOf(project, name)?.version ??
      null
    : null;
}

/** What a file's name says if it is an executable of `project`, else `null`. */
function executableOf(project: string, name: string): ExecutableFile | null {
  const file = parseExecutableName(name);
  return file?.project === project ? file : null;
}

/** The release that a file is of `project`; `null` when it is no archive of it. */
export function releaseOf(project: string, file: EggFile): Release | null {
  const version = versionInName(project, file.name);
  const { locator, sizeBytes, digests = [], companion } = file;
  const executable = executableOf(project, file.name);
  const manifest = executable === null ? file.manifest : manifestOfExecutable(executable);
  // Other projects may have archives of the same name: types-node-1.0.0.tgz, of @types/node.
  const isOther = manifest !== undefined && manifest.name !== project;
  if (version === null || isOther) return null;
  const beside = companion === undefined ? [] : [companion.sizeBytes, companion.validator];
  return {
    project,
    version,
    artifact: {
      locator,
      ...(sizeBytes === undefined ? {} : { sizeBytes }),
      digests: [...digests],
      validator: [sizeBytes, file.validator, ...digests, ...beside]
        .filter((part) => part !== undefined).join(" "),
      ...(companion === undefined ? {} : { companion: companion.locator }),
    },
    ...(manifest === undefined ? {} : { manifest }),
    ...(executable === null ? {} : { executable }),
  };
}
