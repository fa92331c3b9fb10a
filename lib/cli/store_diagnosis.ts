/**
 * What is wrong, or not, with the store, its disk and the settings: whatever concerns every
 * application.
 *
 * @module
 */

import { describeError, isTransmuteError } from "../errors.ts";
import type { Pause } from "../model/schedule.ts";
import { START_VARIABLES } from "../options.ts";
import { runtime } from "../runtime/current.ts";
import { joinPath } from "../runtime/paths.ts";
import { assertPrivate } from "../store/cache.ts";
import { randomName } from "../store/files.ts";
import { OPT_OUT_VARIABLES, pauseOf } from "../updater/pause.ts";
import type { CommandOptions } from "./command.ts";
import type { Finding } from "./finding.ts";
import { finding } from "./finding.ts";
import { hintOf } from "./output.ts";
import { fileSize } from "./wording.ts";

type NodeFs = typeof import("node:fs");

/** With less than this, the next large egg may not fit. */
const LITTLE_SPACE_BYTES = 256 * 1024 ** 2;

/** Looks at the store; whether it can be read at all is the second answer. */
export async function diagnoseStore(
  root: string,
): Promise<{ findings: Finding[]; readable: boolean }> {
  let isThere: boolean;
  try {
    isThere = assertPrivate(root);
  } catch (error) {
    const hint = isTransmuteError(error) ? hintOf(error) : undefined;
    return {
      findings: [finding("problem", "store", describeError(error), hint)],
      readable: false,
    };
  }
  if (!isThere) {
    const text = `There is no store at ${root} yet: the first update makes it`;
    return { findings: [finding("note", "store", text)], readable: false };
  }
  const findings = [diagnoseWriting(root), await diagnoseDisk(root)];
  return { findings, readable: true };
}

/** Writes a file and removes it again: modes and owners do not tell of read-only disks. */
function diagnoseWriting(root: string): Finding {
  const probe = joinPath(root, `${randomName()}.tmp`);
  try {
    runtime.writeFile(probe, new Uint8Array(1), { exclusive: true, flush: true });
    runtime.remove(probe);
    return finding("good", "store", `The store ${root} is this user's alone and can be written to`);
  } catch (error) {
    return finding(
      "problem",
      "store",
      `The store ${root} cannot be written to: ${describeError(error)}`,
      "Programs start on what they have; nothing can be updated until this is mended",
    );
  }
}

async function diagnoseDisk(root: string): Promise<Finding> {
  const { statfsSync } = await runtime.builtin<NodeFs>("fs");
  const { bavail, bsize } = statfsSync(root);
  const freeBytes = bavail * bsize;
  return freeBytes < LITTLE_SPACE_BYTES
    ? finding(
      "problem",
      "disk",
      `Only ${fileSize(freeBytes)} are free on the disk of the store`,
      "Make room; large eggs will not fit",
    )
    : finding("good", "disk", `${fileSize(freeBytes)} are free on the disk of the store`);
}

/** Set by the command itself, or for it alone. */
const OWN_VARIABLES = new Set(["TRANSMUTE_CACHE_DIR", "TRANSMUTE_BACKGROUND", "TRANSMUTE_TRIAL"]);

/** What keeps applications from looking for updates by themselves. */
const PAUSE_WORDS: Record<Pause, string> = {
  "opted-out": `${OPT_OUT_VARIABLES.join(" or ")} is set: no application looks for updates`,
  "in-ci": "This is an automatic build: applications ask no source over the network",
};

/** Tells of variables that change what every application does, but those set by an option. */
export function diagnoseSettings({ offline, log }: CommandOptions): Finding[] {
  const pause = pauseOf({});
  const paused = pause === null
    ? []
    : [finding("note", "settings", PAUSE_WORDS[pause], "transmute update does so all the same")];
  return [...paused, ...diagnoseVariables({ offline, log })];
}

function diagnoseVariables({ offline, log }: Pick<CommandOptions, "offline" | "log">): Finding[] {
  return START_VARIABLES.flatMap((name) => {
    const value = runtime.env(name);
    if (value === undefined || value === "" || OWN_VARIABLES.has(name)) return [];
    if (name === "TRANSMUTE_OFFLINE") {
      if (value === "0" || offline) return [];
      const text = `${name} is set: no application asks a source over the network`;
      return [finding("note", "settings", text, `Unset ${name} to be updated again`)];
    }
    if (name === "TRANSMUTE_LOG" && log !== undefined) return [];
    return [finding("note", "settings", `${name} is set to ${value}, for every application`)];
  });
}
