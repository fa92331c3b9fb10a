/**
 * Stage: whether the application lets a new generation become active. Its hooks are called in this
 * order, each within its deadline: `verify` for every new egg, the smoke command, `beforeActivate`;
 * and `afterActivate` when the switch is done.
 *
 * @module
 */

import { describeError, isTransmuteError, TransmuteError } from "../errors.ts";
import { eggName } from "../model/egg.ts";
import { parseSpecifier, projectOf } from "../model/requirement.ts";
import type { ActiveEgg, Generation } from "../model/state.ts";
import { TRIAL_VARIABLE } from "../model/state.ts";
import type { ChildEnd } from "../runtime/child.ts";
import { runChild, scriptCommand } from "../runtime/child.ts";
import { runtime } from "../runtime/current.ts";
import { fileUrl, joinPath } from "../runtime/paths.ts";
import type { Command } from "../runtime/runtime.ts";
import { randomName } from "../store/files.ts";
import { closureFolder, readEntries } from "../store/state.ts";
import type { Candidate } from "./fetch.ts";
import { RefusedCandidate } from "./fetch.ts";
import { changeBetween, runHook } from "./hooks.ts";
import type { UpdateRequest } from "./request.ts";
import type { Resolution } from "./resolve.ts";
import { rootEgg } from "./resolve.ts";

/** A candidate that would become active, and what it would replace. */
interface Newcomer {
  candidate: Candidate;
  project: string;
  closure: string;
  from: string | undefined;
}

function newcomers(
  { closures }: Resolution,
  eggs: Record<string, ActiveEgg>,
  active: Generation | null,
): Newcomer[] {
  return closures.flatMap((closure) =>
    closure.roots.map((project) => {
      const { egg, name } = rootEgg(closure, project);
      return {
        candidate: egg,
        project: name,
        closure: eggs[name].closure,
        from: active?.eggs[name]?.version,
      };
    })
  );
}

function verifyFailed(candidate: Candidate, found: string, cause?: unknown): RefusedCandidate {
  const egg = eggName(candidate.release);
  const context = { egg, source: candidate.source.id, cause };
  return new RefusedCandidate(
    candidate,
    new TransmuteError("verify-failed", `Cannot accept ${egg}: ${found}`, context),
  );
}

/**
 * Has the application judge every new egg.
 *
 * @throws {RefusedCandidate} for the first that it refuses
 */
export async function verifyEggs(
  { paths, options: { verify, hookTimeoutMs } }: UpdateRequest,
  resolution: Resolution,
  eggs: Record<string, ActiveEgg>,
  active: Generation | null,
): Promise<void> {
  if (verify === undefined) return;
  for (const { candidate, project, closure, from } of newcomers(resolution, eggs, active)) {
    const { version } = candidate.release;
    const below = projectOf(project, "python") === null ? `node_modules/${project}` : "site";
    const folder = joinPath(closureFolder(paths, closure), below);
    const egg = { project, version, source: candidate.source.id, ...(from ? { from } : {}) };
    try {
      await runHook("verify", hookTimeoutMs, () => verify(egg, folder));
    } catch (error) {
      throw verifyFailed(candidate, `the hook verify refused it: ${describeError(error)}`, error);
    }
  }
}

/**
 * Runs the smoke command on a generation that is recorded and not active yet.
 *
 * @throws {RefusedCandidate} of all that it brings, when the command failed: nobody knows which of
 * them is to blame
 * @throws {TransmuteError} `permission-missing`, `option-invalid` when the command cannot be run
 */
export async function smokeTest(
  { paths, options }: UpdateRequest,
  resolution: Resolution,
  generation: Generation,
  active: Generation | null,
): Promise<void> {
  const { smoke, hookTimeoutMs, app } = options;
  if (smoke === undefined) return;
  const all = newcomers(resolution, generation.eggs, active);
  const changed = all.filter(({ candidate, from }) => candidate.release.version !== from);
  const refuse = (found: string): RefusedCandidate => {
    const [first, ...others] = (changed.length > 0 ? changed : all)
      .map(({ candidate }) => verifyFailed(candidate, found));
    return new RefusedCandidate(first.candidate, first.cause, others);
  };

  const script = joinPath(paths.staging, `${randomName()}.mjs`);
  let command: Command;
  if (typeof smoke === "string") {
    const text = entryScript(paths, generation, smoke);
    if (text === null) throw refuse(`it has no entry "${smoke}", which is the smoke command`);
    runtime.writeFile(script, new TextEncoder().encode(text), { exclusive: true });
    command = scriptCommand(script, paths.root, options.denoFlags);
  } else {
    const [path, ...args] = smoke;
    command = { path, args, env: {} };
  }
  const folders = Object.values(generation.eggs)
    .map(({ closure }) => joinPath(closureFolder(paths, closure), "node_modules"));
  command.env = {
    TRANSMUTE_CACHE_DIR: paths.root,
    [TRIAL_VARIABLE]: `${app}@${generation.generation}`,
    NODE_PATH: [...new Set(folders)].join(generation.platform.os === "win32" ? ";" : ":"),
  };
  let end: ChildEnd;
  try {
    end = await runChild(command, hookTimeoutMs);
  } catch (error) {
    throw isTransmuteError(error) ? error : new TransmuteError(
      "option-invalid",
      `Cannot run the smoke command ${command.path}: ${describeError(error)}`,
      { cause: error },
    );
  } finally {
    if (runtime.status(script) !== null) runtime.remove(script);
  }
  if (end.code === 0) return;
  const how = end.late
    ? `did not end within ${hookTimeoutMs} ms`
    : end.code === null
    ? "was ended by a signal"
    : `ended with exit code ${end.code}`;
  const lines = end.output.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  // Runtimes put the error above a trace of where it came from.
  const said = (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "").slice(0, 300);
  throw refuse(`the smoke command ${how}${said === "" ? "" : `: ${said}`}`);
}

/** A script that loads an entry; `null` when the generation has none such. */
function entryScript(
  paths: UpdateRequest["paths"],
  { eggs }: Generation,
  specifier: string,
): string | null {
  const { project, subpath } = parseSpecifier(specifier);
  if (!Object.hasOwn(eggs, project)) return null;
  const { closure, entries, moreEntries } = eggs[project];
  const all = moreEntries ? readEntries(paths, closure, project) : entries;
  if (!Object.hasOwn(all, subpath)) return null;
  const isModule = !/^(?:cjs|json):/.test(all[subpath]);
  const path = joinPath(closureFolder(paths, closure), all[subpath].replace(/^(?:cjs|json):/, ""));
  const file = JSON.stringify(isModule ? fileUrl(path) : path);
  return isModule ? `await import(${file});\n` : 'import { createRequire } from "node:module";\n' +
    `createRequire(import.meta.url)(${file});\n`;
}

/**
 * Asks the application whether this is the time.
 *
 * @throws {TransmuteError} `activation-vetoed`
 */
export async function beforeActivation(
  { options: { beforeActivate, hookTimeoutMs } }: UpdateRequest,
  active: Generation | null,
  generation: Generation,
): Promise<void> {
  if (beforeActivate === undefined) return;
  try {
    const change = changeBetween(active, generation);
    await runHook("beforeActivate", hookTimeoutMs, () => beforeActivate(change));
  } catch (error) {
    throw new TransmuteError(
      "activation-vetoed",
      `Cannot activate generation ${generation.generation}: the hook beforeActivate said no: ${
        describeError(error)
      }`,
      { cause: error },
    );
  }
}

/** Tells the application that it is on a new generation. */
export async function afterActivation(
  { options: { afterActivate, hookTimeoutMs }, tell }: UpdateRequest,
  active: Generation | null,
  generation: Generation,
): Promise<void> {
  if (afterActivate === undefined) return;
  try {
    const change = changeBetween(active, generation);
    await runHook("afterActivate", hookTimeoutMs, () => afterActivate(change));
  } catch (error) {
    tell("error", "hook-failed", { hook: "afterActivate", message: describeError(error) });
  }
}
