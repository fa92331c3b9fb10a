/**
 * The copies of Transmute that are kept between starts: files named by version and digest, and a
 * pointer that says which of them is used.
 *
 * @module
 */

import {
  assertDigest,
  decode,
  digestOf,
  failure,
  files,
  fileUrl,
  nodeFiles,
  readFile,
  writeFile,
} from "./machine.ts";
import type { Copy, Found, Pointer } from "./question.ts";
import type { LoadedTransmute, Origin } from "./settings.ts";

/** A module that is a Transmute. */
export type TransmuteModule = { Transmute: new (options: object) => LoadedTransmute };
/** A Transmute, ready to be used. */
export type Loaded = { module: TransmuteModule; version?: string; origin: Origin };

/** Files that no pointer names are removed after this: another process may be about to load one. */
const UNUSED_AFTER_MS = 24 * 60 * 60 * 1000;
/** Versions that failed are remembered, the newest. */
const MAX_REJECTED = 20;

/** Imports a module that must be a Transmute. */
export async function importModule(url: string): Promise<TransmuteModule> {
  const module = await import(url);
  if (typeof module.Transmute === "function") return module;
  throw failure("entry-missing", `${url} is another module`);
}

/** The kept copies in `folder`, as seen by one application's settings, which `key` stands for. */
export class KeptCopies {
  readonly #folder: string;
  readonly #pointer: string;

  constructor(folder: string, key: string) {
    this.#folder = folder;
    this.#pointer = `${folder}/current-${key}.json`;
  }

  /** What is used now; `undefined` before the first copy, or when the pointer is not whole. */
  read(): Pointer | undefined {
    try {
      const pointer = JSON.parse(decode(readFile(this.#pointer)));
      if (/^[\w.+-]+ [0-9a-f]{128}$/.test(`${pointer.version} ${pointer.digest}`)) return pointer;
    } catch { /* a new one will be made */ }
  }

  /** Proves and imports a copy. */
  async load(copy: Copy, origin: Origin): Promise<Loaded> {
    const path = this.#pathOf(copy);
    await assertDigest(files.readFileSync(path), copy.digest, path);
    return { module: await importModule(fileUrl(path)), version: copy.version, origin };
  }

  /** Keeps a new copy and imports it; only then does it take the place of the one before. */
  async take({ version, bytes }: Found, checkAt: number): Promise<Loaded> {
    const copy = { version, digest: await digestOf(bytes) };
    writeFile(this.#pathOf(copy), bytes);
    const loaded = await this.load(copy, "fetched");
    const before = this.read();
    writeFile(
      this.#pointer,
      JSON.stringify({
        ...copy,
        checkAt,
        rejected: before?.rejected,
        ...before && { previous: { version: before.version, digest: before.digest } },
      }),
    );
    this.#removeUnused(checkAt);
    return loaded;
  }

  /** Another process may have been faster: what it took stays. */
  checkAgainAt(checkAt: number): void {
    const pointer = this.read();
    if (pointer) writeFile(this.#pointer, JSON.stringify({ ...pointer, checkAt }));
  }

  /** Goes back to the copy before `version`, which failed; `undefined` when there is none. */
  async goBackFrom(version?: string): Promise<Loaded | undefined> {
    const { previous, rejected = [], checkAt, version: current } = this.read() ?? {};
    if (!previous || current !== version) return undefined;
    const loaded = await this.load(previous, "kept");
    const all = [...rejected, current].slice(-MAX_REJECTED);
    writeFile(this.#pointer, JSON.stringify({ ...previous, checkAt, rejected: all }));
    return loaded;
  }

  #pathOf({ version, digest }: Copy): string {
    return `${this.#folder}/${version}-${digest.slice(0, 16)}.mjs`;
  }

  /** Of what other settings use, too, nothing is removed. */
  #removeUnused(now: number): void {
    const names: string[] = nodeFiles().readdirSync(this.#folder);
    const pointers = names.filter((name) => name.endsWith(".json"))
      .map((name) => decode(readFile(`${this.#folder}/${name}`))).join("\n");
    for (const name of names.filter((name) => !name.endsWith(".json"))) {
      const digest = name.slice(-20, -4);
      const path = `${this.#folder}/${name}`;
      const { mtimeMs } = nodeFiles().statSync(path);
      if (pointers.includes(digest) || now - mtimeMs < UNUSED_AFTER_MS) continue;
      try {
        nodeFiles().unlinkSync(path);
      } catch { /* another process was faster */ }
    }
  }
}
