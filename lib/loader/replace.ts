/**
 * Replacing the file of a program: in its own folder, whole or not at all. Whatever becomes of this
 * process, there is a program under the name, the old one or the new one.
 *
 * @module
 */

import { describeError, TransmuteError } from "../errors.ts";
import { runtime } from "../runtime/current.ts";
import { copyRights } from "../runtime/executable.ts";
import { baseName, joinPath, parentPath } from "../runtime/paths.ts";
import { randomName } from "../store/files.ts";
import { packageOwner } from "./package_owner.ts";

const NEW = ".new";
/** What Windows cannot remove while it runs. */
const OLD = ".old";

/**
 * Refuses a file that is not this program's to replace.
 *
 * @param name of the project, for the command that its package manager wants
 * @throws {TransmuteError} `replace-refused`, with what to do instead
 */
export async function assertReplaceable(path: string, name: string): Promise<void> {
  const owner = await packageOwner(path, name);
  if (owner !== null) {
    throw new TransmuteError(
      "replace-refused",
      `Cannot replace ${path}: ${owner.manager} installed it`,
      { hint: `Run: ${owner.command}` },
    );
  }
  const probe = joinPath(parentPath(path), `.${baseName(path)}.${randomName()}${NEW}`);
  try {
    runtime.writeFile(probe, new Uint8Array(), { exclusive: true, mode: 0o600 });
    runtime.remove(probe);
  } catch (error) {
    throw new TransmuteError(
      "replace-refused",
      `Cannot replace ${path}: ${describeError(error)}`,
      {
        cause: error,
        hint: `Run it once as who may write to ${
          parentPath(path)
        }, or install it where its user may`,
      },
    );
  }
}

/**
 * Replaces a program's file: new content with the old one's mode and owner, flushed, then renamed.
 *
 * @throws {TransmuteError} `replace-refused`; the old one is in its place then
 */
export async function replaceProgram(path: string, content: Uint8Array): Promise<void> {
  const folder = parentPath(path);
  const temporary = joinPath(folder, `.${baseName(path)}.${randomName()}${NEW}`);
  try {
    runtime.writeFile(temporary, content, { exclusive: true, flush: true, mode: 0o700 });
    copyRights(path, temporary);
    await runtime.flush([temporary]);
    if (runtime.platform().os === "win32") swapOnWindows(path, temporary);
    else runtime.rename(temporary, path);
    await runtime.flush([folder]);
  } catch (error) {
    try {
      runtime.remove(temporary);
    } catch { /* it was never made, or has the name already */ }
    throw new TransmuteError("replace-refused", `Cannot replace ${path}: ${describeError(error)}`, {
      cause: error,
    });
  }
}

/** A program that runs cannot be replaced there, but renamed; the next start removes it. */
function swapOnWindows(path: string, temporary: string): void {
  const aside = `${path}.${randomName()}${OLD}`;
  runtime.rename(path, aside);
  try {
    runtime.rename(temporary, path);
  } catch (error) {
    runtime.rename(aside, path);
    throw error;
  }
}

/** Removes what replacing left beside a program: of a process that was killed, or on Windows. */
export function removeLeftovers(path: string): void {
  const name = baseName(path);
  const folder = parentPath(path);
  const isLeft = (file: string) =>
    (file.startsWith(`.${name}.`) && file.endsWith(NEW)) ||
    (file.startsWith(`${name}.`) && file.endsWith(OLD));
  try {
    for (const file of runtime.list(folder)) {
      if (isLeft(file)) runtime.remove(joinPath(folder, file));
    }
  } catch { /* it may still run, or be nobody's to list */ }
}
