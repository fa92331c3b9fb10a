/**
 * The default instance, and the module-level functions that act on it.
 *
 * @module
 */

import type { SpawnOptions } from "./loader/spawn.ts";
import type { TransmuteEvent } from "./model/event.ts";
import type { RollbackOptions, SourceLike, UpdateOptions } from "./options.ts";
import type { UpdateReport } from "./report.ts";
import type { ExitStatus } from "./runtime/runtime.ts";
import type { SelfOptions, SelfReport } from "./self.ts";
import type { GarbageOptions, GarbageReport } from "./store/gc.ts";
import type { StoreReport } from "./store/verify.ts";
import { Transmute } from "./transmute.ts";
import type { Plan } from "./updater/plan.ts";
import type { Status } from "./updater/status.ts";

const transmute = new Transmute();

/**
 * Declares what the application needs. Parses now, reads nothing.
 *
 * @param requirements such as `"hello"`, `"hello@^1.2"`, `"npm:chalk@5"`
 * @param options `sources`: folders or addresses, the most trusted first; after those declared
 * before. `npm:` requirements imply {@link NPM_SOURCE}
 * @throws {TransmuteError} `requirement-syntax`, `version-syntax`, `source-scheme-unknown`
 *
 * @example
 * ```ts
 * import { require } from "../mod.ts";
 *
 * require(["hello@^1.2"], { sources: ["dist"] });
 * ```
 */
export function require(
  requirements: string | string[],
  options?: { sources?: SourceLike | SourceLike[] },
): void {
  transmute.require(requirements, options);
}

/**
 * Declares further sources, less trusted than those before.
 *
 * @throws {TransmuteError} `source-scheme-unknown`
 *
 * @example
 * ```ts
 * import { addSource, NPM_SOURCE } from "../mod.ts";
 *
 * addSource("dist", NPM_SOURCE);
 * ```
 */
export function addSource(...sources: SourceLike[]): void {
  transmute.addSource(...sources);
}

/**
 * Runs a program on what is active, to its end: a command of an active egg, `python3` with the
 * active Python eggs, or any other. It has this program's streams, and its signals are passed on.
 *
 * @param command `"cowsay"`, `"python3"`
 * @returns its exit code (128 and the signal's number after a signal) and the signal
 * @throws {TransmuteError} `command-missing`, `interpreter-missing`, `permission-missing`
 *
 * @example
 * ```ts ignore
 * import { require, spawn, update } from "../mod.ts";
 *
 * require("pypi:cowsay");
 * await update();
 * const { code } = await spawn("cowsay", ["-t", "hi"]);
 * ```
 */
export function spawn(
  command: string,
  args?: string[],
  options?: SpawnOptions,
): Promise<ExitStatus> {
  return transmute.spawn(command, args, options);
}

/**
 * The variables with which other programs find what is active: `PYTHONPATH`, `PATH` and
 * `NODE_PATH`, each in front of what was there.
 *
 * @example
 * ```ts
 * import { environment } from "../mod.ts";
 *
 * const { PYTHONPATH = "" } = await environment();
 * if (PYTHONPATH.includes("undefined")) throw new Error("never");
 * ```
 */
export function environment(): Promise<Record<string, string>> {
  return transmute.environment();
}

/**
 * Brings this very program up to date, where it is one file with its runtime: checked, fetched,
 * proven and stored as every egg is; run once to tell its version; then put into the program's
 * place by one rename, and, by default, gone on with at once. A version that fails at its starts is
 * gone back from.
 *
 * Where the program is not one file, nothing is done. Nothing is thrown for what the network or the
 * folder of the program does: the report tells.
 *
 * @throws {TransmuteError} `option-invalid`, `permission-missing`, `store-not-private`
 *
 * @example
 * ```ts
 * import { self } from "../mod.ts";
 *
 * const { reason } = await self({ name: "mytool", version: "1.2.3", sources: ["dist"] });
 * if (reason !== "not-an-executable") throw new Error("never");
 * ```
 */
export async function self(options: SelfOptions): Promise<SelfReport> {
  const { updateSelf } = await import("./self.ts");
  return await updateSelf(options);
}

/**
 * Asks the sources what an update would do. Changes nothing.
 *
 * @throws {TransmuteError} when a requirement cannot be met at all
 *
 * @example
 * ```ts ignore
 * import { check } from "../mod.ts";
 *
 * for (const { project, from, to } of (await check()).eggs) console.log(project, from, "→", to);
 * ```
 */
export function check(): Promise<Plan> {
  return transmute.check();
}

/**
 * Brings the components up to date when a check is due.
 *
 * Returns when the program may go on: at once when nothing is due, and within `budgetMs` (1500)
 * when there is something to run on; then it does not throw, whatever happens to the network or
 * disk. Does not touch modules that are already imported.
 *
 * @throws {TransmuteError} when there is nothing usable and nothing can be had, naming each
 * source and its answer; `option-invalid`, `permission-missing`, `store-not-private`,
 * `store-format-unknown`
 *
 * @example
 * ```ts ignore
 * import { update } from "../mod.ts";
 *
 * const report = await update({ relaunch: "if-needed" });
 * if (report.outcome === "updated") console.log("now on generation", report.generation);
 * ```
 */
export function update(options?: UpdateOptions): Promise<UpdateReport> {
  return transmute.update(options);
}

/**
 * Imports from the active generation: a project, or a project and a subpath that it exports.
 *
 * @throws {TransmuteError} `egg-not-active`, `entry-missing`, `permission-missing`; what the
 * module itself throws passes through
 *
 * @example
 * ```ts ignore
 * import * as transmute from "../mod.ts";
 *
 * const { greet } = await transmute.import<{ greet(name: string): void }>("hello");
 * ```
 */
export function importEgg<T = Record<string, unknown>>(specifier: string): Promise<T> {
  return transmute.import<T>(specifier);
}

/**
 * The `file:` URL of what {@link importEgg} would load.
 *
 * @throws {TransmuteError} `egg-not-active`, `entry-missing`
 *
 * @example
 * ```ts ignore
 * import { resolve } from "../mod.ts";
 *
 * const worker = new Worker(resolve("hello/worker"), { type: "module" });
 * ```
 */
export function resolve(specifier: string): string {
  return transmute.resolve(specifier);
}

/**
 * Makes plain `import("hello")` find what is active, in modules that are loaded from now on.
 * {@link importEgg} needs no hook, costs less in Deno, and is stricter in Bun, which may ask npm's
 * registry itself for a subpath that a project does not export.
 *
 * @throws {TransmuteError} `hook-unsupported` where the runtime has no hook for it
 *
 * @example
 * ```ts ignore
 * import { hookImports } from "../mod.ts";
 *
 * await hookImports();
 * const hello = await import("hello");
 * ```
 */
export function hookImports(): Promise<void> {
  return transmute.hookImports();
}

/**
 * Replaces this process by a new one of the same program: same arguments, streams, signals and
 * exit code. At most once per generation.
 *
 * @throws {TransmuteError} `relaunch-failed`, `permission-missing`
 *
 * @example
 * ```ts ignore
 * import { relaunch, update } from "../mod.ts";
 *
 * if ((await update()).relaunch === "relaunch-needed") await relaunch();
 * ```
 */
export function relaunch(): Promise<never> {
  return transmute.relaunch();
}

/**
 * What happened to this application, oldest first.
 *
 * @example
 * ```ts ignore
 * import { history } from "../mod.ts";
 *
 * for await (const { at, kind } of history()) console.log(at, kind);
 * ```
 */
export function history(): AsyncGenerator<TransmuteEvent> {
  return transmute.history();
}

/**
 * Makes an older generation the active one, with all its eggs. The one that was active is
 * rejected: its eggs are not offered again while their sources have nothing newer. Needs no
 * network. Does not touch modules that are already imported.
 *
 * @throws {TransmuteError} `nothing-to-roll-back-to`, `lock-timeout`, `disk-failure`
 *
 * @example
 * ```ts ignore
 * import { rollback } from "../mod.ts";
 *
 * const { rolledBack } = await rollback();
 * console.log(rolledBack?.from, "→", rolledBack?.to);
 * ```
 */
export function rollback(options?: RollbackOptions): Promise<UpdateReport> {
  return transmute.rollback(options);
}

/**
 * Says that the active generation works. From then on later ones may fall back to it.
 *
 * @throws {TransmuteError} `disk-failure`
 *
 * @example
 * ```ts ignore
 * import { confirm } from "../mod.ts";
 *
 * await confirm(); // when the first request was answered, say
 * ```
 */
export function confirm(): Promise<void> {
  return transmute.confirm();
}

/**
 * Keeps a project at its active version, whatever is offered, until {@link unhold}.
 *
 * @throws {TransmuteError} `egg-not-active`, `lock-timeout`, `disk-failure`
 *
 * @example
 * ```ts ignore
 * import { hold } from "../mod.ts";
 *
 * await hold("hello");
 * ```
 */
export function hold(project: string): Promise<void> {
  return transmute.hold(project);
}

/**
 * Lets a project take updates again.
 *
 * @throws {TransmuteError} `lock-timeout`, `disk-failure`
 *
 * @example
 * ```ts ignore
 * import { unhold } from "../mod.ts";
 *
 * await unhold("hello");
 * ```
 */
export function unhold(project: string): Promise<void> {
  return transmute.unhold(project);
}

/**
 * What is active and why, from the disk alone: asks no source, changes nothing.
 *
 * @example
 * ```ts ignore
 * import { status } from "../mod.ts";
 *
 * const { active, eggs } = await status();
 * for (const { project, version } of eggs) console.log(project, version, active?.status);
 * ```
 */
export function status(): Promise<Status> {
  return transmute.status();
}

/**
 * Compares every file that this application's kept generations need with what was recorded of it.
 * Changes nothing.
 *
 * @example
 * ```ts ignore
 * import { verifyStore } from "../mod.ts";
 *
 * for (const { path, message } of (await verifyStore()).problems) console.warn(path, message);
 * ```
 */
export function verifyStore(): Promise<StoreReport> {
  return transmute.verifyStore();
}

/**
 * Verifies the store and mends what is damaged: from kept archives, else from the sources, else by
 * going back to a generation that is whole.
 *
 * @throws {TransmuteError} when nothing whole is left and nothing can be had
 *
 * @example
 * ```ts ignore
 * import { repairStore } from "../mod.ts";
 *
 * for (const { path, repair } of (await repairStore()).problems) console.warn(path, repair);
 * ```
 */
export function repairStore(): Promise<StoreReport> {
  return transmute.repairStore();
}

/**
 * Removes what no application of the store needs: generations beyond `keepGenerations`, and eggs,
 * archives and answers of sources that belong to no kept generation and no running program.
 *
 * @example
 * ```ts ignore
 * import { collectGarbage } from "../mod.ts";
 *
 * const { freedBytes } = await collectGarbage({ dryRun: true });
 * ```
 */
export function collectGarbage(options?: GarbageOptions): Promise<GarbageReport> {
  return transmute.collectGarbage(options);
}
