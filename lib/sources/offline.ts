/**
 * What stands in for a network source when the application is offline by its own setting.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type { Source } from "./source.ts";

/** A source of the same id that refuses every question with `offline`. */
export function offlineSource({ id, ecosystems }: Source): Source {
  const refuse = () =>
    Promise.reject(
      new TransmuteError(
        "offline",
        `Cannot ask ${id}: this program is offline by its own setting`,
        {
          source: id,
          hint: "Unset TRANSMUTE_OFFLINE or the option offline",
        },
      ),
    );
  const worlds = ecosystems === undefined ? {} : { ecosystems };
  return { id, kind: "network", ...worlds, list: refuse, fetch: refuse };
}
