/**
 * What others write of a `package.json`, in listings and in signed metadata, cut down to what is
 * used. Pure.
 *
 * @module
 */

import type { Manifest } from "./egg.ts";
import type { Json } from "./json.ts";
import { isObject } from "./json.ts";

/** The fields of a manifest that Transmute acts on; those of another form than npm's are none. */
export function readManifest(found: Json, project: string, version: string): Manifest {
  const manifest: Manifest = { name: project, version };
  for (const field of ["dependencies", "optionalDependencies", "peerDependencies"] as const) {
    const texts = textsOf(found[field]);
    if (texts !== undefined) manifest[field] = texts;
  }
  const optionalPeers = isObject(found.peerDependenciesMeta)
    ? Object.entries(found.peerDependenciesMeta)
      .filter(([, meta]) => isObject(meta) && meta.optional === true)
      .map(([name]) => [name, { optional: true }])
    : [];
  if (optionalPeers.length > 0) manifest.peerDependenciesMeta = Object.fromEntries(optionalPeers);

  // npm accepts both spellings, and takes the first when both are there.
  const bundled = found.bundleDependencies ?? found.bundledDependencies;
  if (bundled === true) manifest.bundleDependencies = true;
  else if (Array.isArray(bundled)) manifest.bundleDependencies = bundled.filter(isText);

  const node = isObject(found.engines) ? found.engines.node : undefined;
  if (typeof node === "string" && node !== "") manifest.engines = { node };
  for (const field of ["os", "cpu", "libc"] as const) {
    const value = found[field];
    const list = (Array.isArray(value) ? value : [value]).filter(isText);
    if (list.length > 0) manifest[field] = list;
  }
  // The words that say so may be empty or missing; an empty text takes a deprecation back.
  if (found.deprecated === true) manifest.deprecated = "by its publisher";
  else if (isText(found.deprecated) && found.deprecated !== "") {
    manifest.deprecated = found.deprecated;
  }
  return manifest;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** Names to texts. What is no text is kept as its JSON: it must not vanish, and matches nothing. */
function textsOf(value: unknown): Record<string, string> | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value)
    .map(([name, text]) => [name, isText(text) ? text : JSON.stringify(text)]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
