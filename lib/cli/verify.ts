/**
 * `transmute verify`: compares the store with what was recorded of it, and mends it.
 *
 * @module
 */

import { withShortDigests } from "../model/event.ts";
import type { StoreProblem } from "../store/verify.ts";
import { openApplication } from "./application.ts";
import { upkeepOf } from "./asking.ts";
import type { CommandRequest, Outcome } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import type { Style } from "./style.ts";
import { counted, fileSize } from "./wording.ts";

/** What was done about a problem, in words. */
const REPAIR_WORDS: Record<NonNullable<StoreProblem["repair"]>, string> = {
  "rebuilt": "mended from what else is on this disk",
  "fetched": "mended from its source",
  "fell-back": "another generation is active now",
  "removed": "removed; it is made again when it is needed",
  "failed": "could not be mended",
};

/** Verifies the store, and repairs it with `--repair`. */
export async function run({ options, style, progress }: CommandRequest): Promise<Outcome> {
  const application = openApplication(options);
  const upkeep = upkeepOf(application);
  progress(options.repair ? "verifying and mending" : "verifying");
  const { files, bytes, problems } = options.repair
    ? await upkeep.repairStore()
    : await upkeep.verifyStore();
  const unmended = problems.filter(({ repair }) => repair === undefined || repair === "failed");
  return {
    value: { app: application.name, files, bytes, problems },
    lines: [
      ...problems.map((problem) => problemLine(problem, style)),
      problems.length === 0
        ? `All ${counted(files, "file")} (${fileSize(bytes)}) are as they were written`
        : `${counted(files, "file")} (${fileSize(bytes)}) were compared: ${
          counted(problems.length, "problem")
        }, ${unmended.length === 0 ? "all mended" : `${unmended.length} not mended`}`,
      ...(unmended.length > 0 && !options.repair
        ? [`To mend: transmute verify --repair --app ${application.name}`]
        : []),
    ],
    quietLines: unmended.map(({ path }) => path),
    exitCode: unmended.length === 0 ? EXIT_CODES.done : EXIT_CODES.unsound,
  };
}

function problemLine({ kind, path, message, repair }: StoreProblem, style: Style): string {
  const what = repair === undefined || repair === "failed"
    ? style.bad("damaged:")
    : style.good("mended:");
  const done = repair === undefined ? "" : `; ${REPAIR_WORDS[repair]}`;
  return withShortDigests(`${what} ${kind} ${path}: ${message}${done}`);
}
