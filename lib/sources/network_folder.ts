/**
 * What folders on a network have in common, whether in a bucket or behind a web server: the whole
 * of one is listed once for each update, and a project's releases are picked from it.
 *
 * @module
 */

import type { Artifact, Ecosystem, Release } from "../model/egg.ts";
import { archiveStem } from "../model/egg.ts";
import type { EggFile } from "./egg_files.ts";
import { companionDigest, companionName, releaseOf } from "./egg_files.ts";
import { PythonFolder } from "./python_files.ts";
import type { Fetched, SourceContext } from "./source.ts";

/** A companion holds one line. */
const MAX_COMPANION_BYTES = 64 * 1024;
/** Where a version may begin in a file's name: `a-1.0.0-2.0.0.tgz` may be of `a` or `a-1.0.0`. */
const VERSION_START = /-v?\d+\.\d+\.\d+/g;

/** The files of a folder, ready to be asked for projects. */
export class FolderListing {
  readonly #byStem = new Map<string, EggFile[]>();
  readonly #files: EggFile[];
  #python: PythonFolder | undefined;
  /** Whether the folder merely confirmed an earlier listing. */
  readonly cached: boolean;

  constructor(files: Iterable<EggFile>, cached: boolean) {
    this.cached = cached;
    this.#files = [...files];
    const byName = new Map<string, EggFile>();
    for (const file of this.#files) if (!byName.has(file.name)) byName.set(file.name, file);
    for (const file of byName.values()) {
      const companion = file.digests?.length ? undefined : byName.get(companionName(file.name));
      const whole = companion === undefined ? file : { ...file, companion };
      for (const { index } of file.name.matchAll(VERSION_START)) {
        const stem = file.name.slice(0, index);
        const same = this.#byStem.get(stem);
        if (same === undefined) this.#byStem.set(stem, [whole]);
        else same.push(whole);
      }
    }
  }

  /** What the folder has of a project. */
  releases(project: string, ecosystem: Ecosystem = "js"): Release[] {
    if (ecosystem === "python") {
      return (this.#python ??= new PythonFolder(this.#files)).releases(project);
    }
    const files = this.#byStem.get(archiveStem(project)) ?? [];
    return files.flatMap((file) => releaseOf(project, file) ?? []);
  }
}

/**
 * Makes a question that is asked once for each update, however many projects need its answer. An
 * update is known by its context, which is one object.
 */
export function oncePerUpdate<T>(
  ask: (context: SourceContext) => Promise<T>,
): (context: SourceContext) => Promise<T> {
  const answers = new WeakMap<SourceContext, Promise<T>>();
  return (context) => {
    let answer = answers.get(context);
    if (answer === undefined) answers.set(context, answer = ask(context));
    return answer;
  };
}

/**
 * Brings an archive, after the digest in the file beside it where there is one.
 *
 * @param fetch brings one file
 */
export async function fetchWithCompanion(
  artifact: Artifact,
  context: SourceContext,
  fetch: (file: Artifact, context: SourceContext) => Promise<Fetched>,
): Promise<Fetched> {
  const { companion, ...alone } = artifact;
  if (companion === undefined) return await fetch(alone, context);
  const beside = { locator: companion, digests: [], validator: "" };
  const small = { ...context, maxDownloadBytes: MAX_COMPANION_BYTES };
  const digest = companionDigest(new TextDecoder().decode((await fetch(beside, small)).bytes));
  const fetched = await fetch(alone, context);
  return { ...fetched, digests: [...fetched.digests ?? [], digest] };
}
