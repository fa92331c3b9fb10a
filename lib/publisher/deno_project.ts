/**
 * Packing a folder with a `deno.json`: `deno pack` makes JavaScript of its TypeScript, a
 * `package.json` of its settings, and dependencies of what it imports from registries.
 *
 * @module
 */

import { describeError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import { randomName } from "../store/files.ts";
import type { ArchiveEntry } from "../store/unpack.ts";
import { cannotPack } from "./pack_failure.ts";

const FILE_NAMES = ["deno.json", "deno.jsonc"];
/** It checks and transpiles every file, and may have to fetch what they import. */
const PACK_MS = 10 * 60 * 1000;
const MAX_TAR_BYTES = 1024 ** 3;

/** The path of a folder's `deno.json` or `deno.jsonc`; `null` when it has none. */
export function denoConfiguration(folder: string): string | null {
  return FILE_NAMES.map((name) => joinPath(folder, name))
    .find((path) => runtime.status(path)?.kind === "file") ?? null;
}

/** Reads a tar; the gate for archives of others refuses the headers that Deno writes. */
export type ReadTar = (tar: Uint8Array) => Promise<ArchiveEntry[]>;

/**
 * The files of the egg that a Deno project becomes.
 *
 * Source maps and declarations are left out: the former hold the paths of this machine.
 *
 * @param configuration the path of its `deno.json`, whose `name`, `version` and `exports` count
 * @param readTar reads what Deno packed
 * @throws {TransmuteError} `archive-invalid` when Deno is not there, or objects
 */
export async function denoProjectFiles(
  configuration: string,
  readTar: ReadTar,
): Promise<ArchiveEntry[]> {
  const archive = `${configuration}.${randomName()}.tgz`;
  const args = [
    ...["pack", "--quiet", "--allow-dirty", "--allow-slow-types", "--no-source-maps"],
    ...["--config", configuration, "--output", archive],
  ];
  try {
    const { code } = await runtime.run(
      { path: denoProgram(), args, env: {} },
      AbortSignal.timeout(PACK_MS),
      { showErrors: true },
    ).catch((error) => {
      throw cannotPack(
        `Deno cannot be started (${describeError(error)}), which packs what has a deno.json`,
        { cause: error, hint: "Install Deno 2.9 or later, or give the project a package.json" },
      );
    });
    if (code !== 0) throw cannotPack(`deno pack ended with code ${code} for ${configuration}`);
    return await readTar(await runtime.gunzip(runtime.readFile(archive), MAX_TAR_BYTES));
  } finally {
    if (runtime.status(archive) !== null) runtime.remove(archive);
  }
}

/** This program's own Deno, where it is one and no compiled program. */
function denoProgram(): string {
  if (runtime.name !== "deno") return "deno";
  const { path, args } = runtime.ownCommand([]);
  return args[0] === "run" ? path : "deno";
}
