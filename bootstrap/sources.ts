/**
 * Where Transmute itself may come from. Each source gives a proven file, or `undefined` when it
 * has nothing newer.
 *
 * @module
 */

import { modFile } from "./archive.ts";
import {
  assertDigest,
  codeOf,
  decode,
  demand,
  failure,
  files,
  isOurs,
  nodeFiles,
  PREFIX,
  readFile,
  textOf,
  unlessMissing,
} from "./machine.ts";
import type { Found, Question } from "./question.ts";
import { fromRegistry } from "./registry.ts";
import { get } from "./request.ts";
import { newest } from "./versions.ts";

/** The answer of the first source that has one. */
export async function askSources(
  sources: string[],
  question: Question,
): Promise<Found | undefined> {
  const answers: string[] = [];
  let first: { code?: string; hint?: string } | undefined;
  for (const source of sources) {
    try {
      if (/^npm(:$|\+https?:)/.test(source)) return await fromRegistry(source.slice(4), question);
      if (/^https?:/.test(source)) return await fromAddress(source, question);
      return await fromFolder(source, question);
    } catch (error) {
      if (codeOf(error) === "permission-missing") throw error;
      first ??= isOurs(error) ? error as object : { code: "listing-invalid" };
      answers.push(`${source.replace(/:$/, "")}: ${textOf(error).replace(PREFIX, "")}`);
    }
  }
  throw failure(first?.code ?? "option-invalid", answers.join("; "), first?.hint, first);
}

/** From a folder of `npm pack` archives. */
async function fromFolder(folder: string, question: Question): Promise<Found | undefined> {
  demand("read", "path", folder);
  const names: string[] | undefined = unlessMissing(() => nodeFiles().readdirSync(folder));
  if (!names) throw failure("source-unreachable", "there is no such folder");
  const stem = `${question.name.replace(/^@/, "").replace("/", "-")}-`;
  const archives = names.filter((name) => name.startsWith(stem) && name.endsWith(".tgz"));
  const version = newest(archives.map((name) => name.slice(stem.length, -4)), question);
  if (version === undefined) return undefined;
  const path = `${folder}/${stem}${version}.tgz`;
  const archive: Uint8Array = files.readFileSync(path);
  const digest = readFile(`${path}.sha256`);
  if (digest) await assertDigest(archive, decode(digest).split(/\s/)[0], path);
  return { version, bytes: await modFile(archive, path) };
}

/** From an address that carries the digest of what it leads to. */
async function fromAddress(address: string, question: Question): Promise<Found | undefined> {
  const digest = /#sha256=([0-9a-f]{64})$/.exec(address)?.[1];
  if (!digest) throw failure("option-invalid", "wanted #sha256=<hex> at the end of the address");
  const version = `sha256-${digest}`;
  if (question.kept?.version === version) return undefined;
  const bytes = await get(new URL(address), question.signal);
  await assertDigest(bytes, digest, "the file");
  return { version, bytes };
}
