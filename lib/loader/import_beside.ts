/**
 * Importing where `import()` knows built-in modules alone, as in the single executables of Node 25
 * and 26: by a script on the disk, whose own `import()` knows files.
 *
 * @module
 */

import { runtime } from "../runtime/current.ts";
import { fileUrl, joinPath } from "../runtime/paths.ts";
import { writeAtomically } from "../store/files.ts";

/** The script's name carries its version, as everything in the store does. */
const NAME = "import-v1.cjs";
const TEXT = "module.exports = (url) => import(url);\n";

/** Whether an import failed because this program may import built-in modules alone. */
export function knowsBuiltinsAlone(error: unknown): boolean {
  return (error as { code?: string } | null)?.code === "ERR_UNKNOWN_BUILTIN_MODULE";
}

/**
 * Imports a file of the store.
 *
 * @param path below the store's folder `eggs-v1`
 * @throws what the module throws
 */
export async function importBeside<T>(path: string, url: string): Promise<T> {
  const store = path.slice(0, path.indexOf("/eggs-v1/"));
  const script = joinPath(store, NAME);
  // Its content is known: anything else in its place is not run.
  if (textOf(script) !== TEXT) writeAtomically(script, TEXT);
  const { createRequire } = await runtime.builtin<typeof import("node:module")>("module");
  const importFrom = createRequire(fileUrl(script))(script) as (url: string) => Promise<T>;
  return await importFrom(url);
}

function textOf(path: string): string | null {
  try {
    return runtime.readTextFile(path);
  } catch {
    return null;
  }
}
