/**
 * Whether Python is still the one that the active Python eggs were chosen for, as far as a start
 * can see without asking it.
 *
 * @module
 */

import { fingerprintOf } from "../model/fingerprint.ts";
import type { Generation, State } from "../model/state.ts";
import { runtime } from "../runtime/current.ts";

/** The variable that names the interpreter. */
export const PYTHON_VARIABLE = "TRANSMUTE_PYTHON";

/** What is seen, or nothing where this program may not look. */
function seen<T>(look: () => T): T | null {
  try {
    return look();
  } catch {
    return null;
  }
}

/**
 * Changes when another interpreter is chosen than before, and when that of the active Python eggs
 * is replaced or gone. `null` without Python eggs: then nothing is looked at.
 *
 * @param chosen the option `python`
 */
export function interpreterLook(active: Generation | null, chosen?: string): string | null {
  const path = active?.python?.path;
  if (path === undefined) return null;
  const file = seen(() => runtime.status(path));
  return fingerprintOf(JSON.stringify([
    chosen ?? seen(() => runtime.env(PYTHON_VARIABLE)) ?? "",
    path,
    file?.kind,
    file?.sizeBytes,
    file?.modifiedAt,
  ]));
}

/** What to note in the state of a generation whose eggs were compared with the interpreter. */
export function withInterpreter(
  active: Generation | null,
  chosen?: string,
): Pick<State, "interpreter"> {
  const interpreter = interpreterLook(active, chosen);
  return interpreter === null ? {} : { interpreter };
}
