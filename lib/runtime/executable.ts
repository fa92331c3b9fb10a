/**
 * This program as one file with its runtime: whether it is, where it is, and what may be done to
 * such a file. Loaded only by what replaces it, and by what follows links.
 *
 * @module
 */

import { runtime } from "./current.ts";

interface NodeGlobals {
  process: typeof import("node:process") & { getBuiltinModule<T>(name: string): T };
  Bun?: { isStandaloneExecutable?: boolean };
}

const isDeno = runtime.name === "deno";
const node = () => globalThis as unknown as NodeGlobals;
const nodeFiles = () => node().process.getBuiltinModule<typeof import("node:fs")>("node:fs");

/** Whether this program is one file with its runtime. */
export function isStandalone(): boolean {
  if (isDeno) return Deno.build.standalone;
  const { Bun, process } = node();
  return Bun?.isStandaloneExecutable ??
    process.getBuiltinModule<{ isSea(): boolean } | undefined>("node:sea")?.isSea() ?? false;
}

/** Where a path leads, links followed. */
export function realPath(path: string): string {
  return isDeno ? Deno.realPathSync(path) : nodeFiles().realpathSync(path);
}

/**
 * The file of this program, which is one with its runtime; links followed. As it was told at the
 * start: when the file has been replaced, some systems tell of the old one.
 */
export function ownExecutable(): string {
  return realPath(runtime.ownCommand().path);
}

/** Gives a file the mode and owner of another. */
export function copyRights(from: string, to: string): void {
  const status = runtime.status(from);
  if (status === null || status.mode === null) return;
  const { mode, userId } = status;
  if (isDeno) Deno.chmodSync(to, mode);
  else nodeFiles().chmodSync(to, mode);
  if (userId === null || userId === runtime.userId()) return;
  const { uid, gid } = isDeno ? Deno.lstatSync(from) : nodeFiles().lstatSync(from);
  if (uid === null || gid === null) return;
  if (isDeno) Deno.chownSync(to, uid, gid);
  else nodeFiles().chownSync(to, uid, gid);
}
