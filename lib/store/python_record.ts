/**
 * `RECORD` of a wheel: every file with its digest and size.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { refusedArchive } from "./entry_names.ts";
import type { ArchiveEntry } from "./unpack.ts";

const ALGORITHMS: Record<string, string> = {
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};
/** What the record cannot have digests of. */
const UNRECORDED = new Set(["RECORD", "RECORD.jws", "RECORD.p7s"]);

/** The three fields of a line: a path in quotes may hold commas, and quotes twice. */
function fieldsOf(line: string): string[] {
  const fields: string[] = [];
  for (let rest = line;;) {
    const [whole, quoted, plain] = /^(?:"((?:[^"]|"")*)"|([^",]*))(?=,|$)/.exec(rest) ?? [];
    if (whole === undefined) return [];
    fields.push(quoted?.replaceAll('""', '"') ?? plain);
    if (whole.length === rest.length) return fields;
    rest = rest.slice(whole.length + 1);
  }
}

function base64Url(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * Proves that a wheel's files are those of its record, all of them and no others.
 *
 * @param folder its `.dist-info`
 * @throws {TransmuteError} `digest-mismatch`, `archive-invalid`, naming the file
 */
export async function proveRecord(files: ArchiveEntry[], folder: string): Promise<void> {
  const record = files.find(({ path }) => path === `${folder}/RECORD`);
  if (record === undefined) throw refusedArchive(`found no ${folder}/RECORD in the wheel`);
  const wanted = new Map<string, string>();
  for (const line of new TextDecoder().decode(record.bytes).split(/\r?\n/)) {
    if (line === "") continue;
    const [path, digest = ""] = fieldsOf(line);
    if (path === undefined || path === "") {
      throw refusedArchive(
        `found a line of RECORD that names no file: ${JSON.stringify(line.slice(0, 80))}`,
      );
    }
    wanted.set(path.replaceAll("\\", "/"), digest);
  }
  const isUnrecorded = (path: string) =>
    path.startsWith(`${folder}/`) && UNRECORDED.has(path.slice(folder.length + 1));
  await Promise.all(files.map(async ({ path, bytes }) => {
    if (isUnrecorded(path)) return;
    const digest = wanted.get(path);
    if (digest === undefined) throw refusedArchive(`found ${path}, which its RECORD does not name`);
    const [algorithm, value = ""] = digest.split("=", 2);
    if (!Object.hasOwn(ALGORITHMS, algorithm)) {
      throw refusedArchive(`found no digest of ${path} in RECORD, wanted sha256 or better`);
    }
    const found = base64Url(
      await crypto.subtle.digest(ALGORITHMS[algorithm], bytes as BufferSource),
    );
    if (found !== value) {
      throw new TransmuteError(
        "digest-mismatch",
        `Cannot unpack the archive: found ${path} with ${algorithm}=${found}, wanted ${digest} as in its RECORD`,
      );
    }
  }));
  const present = new Set(files.map(({ path }) => path));
  for (const path of wanted.keys()) {
    if (!present.has(path) && !isUnrecorded(path)) {
      throw refusedArchive(`found no ${path} in the wheel, which its RECORD names`);
    }
  }
}
