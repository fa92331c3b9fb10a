/**
 * The outside vectors: fastzip/malo's tar files with their oracles, where they are at hand. Its
 * files lie in no top folder, so the gate is asked before the top folder is stripped.
 */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import type { TarMember } from "../../lib/store/tar_gate.ts";
import { readTarMembers } from "../../lib/store/tar_gate.ts";
import { readTar } from "../../lib/store/unpack.ts";

const CORPUS = "../shared/corpora/malo/tar";
const absent = existsSync(CORPUS) ? false : `there is no folder ${CORPUS}`;
// Not every runner prints why it skips.
if (absent) console.warn(`Outside tar vectors skipped: ${absent}`);

interface Expectation {
  member: string;
  type: "file" | "directory" | "symlink";
  size?: number;
  sha256?: string;
}

interface Oracle {
  expected?: Expectation[];
  /** A reader that sees one of these is fooled. */
  vulnerable_when?: { member: string }[];
  /** So is a reader that takes the archive and does not see all of these. */
  vulnerable_when_not?: { member: string }[];
}

interface Vector {
  name: string;
  archive: Uint8Array;
  oracle: Oracle;
}

function vectors(set: string): Vector[] {
  const files = readdirSync(`${CORPUS}/${set}`).filter((name) => name.endsWith(".tar")).sort();
  assert.ok(files.length > 0, `no vectors in ${set}`);
  return files.map((name) => {
    const oracle = `${CORPUS}/${set}/${name.replace(/\.tar$/, ".json")}`;
    return {
      name: `${set}/${name}`,
      archive: new Uint8Array(readFileSync(`${CORPUS}/${set}/${name}`)),
      oracle: existsSync(oracle) ? JSON.parse(readFileSync(oracle, "utf8")) : {},
    };
  });
}

/** What the gate makes of an archive; `null` for a proper refusal. */
function membersOf({ name, archive }: Vector): TarMember[] | null {
  try {
    return readTarMembers(archive, { maxEntries: 1000 });
  } catch (error) {
    assert.ok(
      isTransmuteError(error, "archive-invalid") || isTransmuteError(error, "path-escapes"),
      `${name}: ${error}`,
    );
    return null;
  }
}

const nameOf = ({ kind, path }: TarMember) => kind === "folder" ? `${path}/` : path;

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

test("readTarMembers() reads every valid archive of files and folders", {
  skip: absent,
}, async () => {
  for (const vector of vectors("accept")) {
    const { name, oracle } = vector;
    if (oracle.expected?.some(({ type }) => type === "symlink")) {
      assert.equal(membersOf(vector), null, name);
      continue;
    }
    const members = membersOf(vector);
    assert.ok(members !== null && members.length > 0, `${name} was refused`);
    if (oracle.expected === undefined) continue;
    const found = await Promise.all(members.map(async (member) => ({
      member: nameOf(member),
      ...(member.kind === "folder" ? { type: "directory" } : {
        type: "file",
        size: member.bytes.length,
        sha256: await sha256(member.bytes),
      }),
    })));
    assert.deepEqual(found, oracle.expected, name);
  }
});

for (const set of ["reject", "malicious"]) {
  test(`readTarMembers() and readTar() refuse every ${set} archive`, { skip: absent }, () => {
    for (const vector of vectors(set)) {
      assert.deepEqual(membersOf(vector), null, vector.name);
      assert.throws(() => readTar(vector.archive, { maxUnpackedBytes: 1024 ** 2 }), vector.name);
    }
  });
}

/**
 * A pax path that differs from the header's is how long names are written; a valid archive of the
 * corpus does the same.
 */
const AS_IN_THE_VALID_SET = new Set(["iffy/pax_path_nonzero_fixed.tar"]);

test("readTarMembers() is fooled by no odd archive that it accepts", { skip: absent }, () => {
  for (const vector of vectors("iffy")) {
    const members = membersOf(vector);
    if (members === null || AS_IN_THE_VALID_SET.has(vector.name)) continue;
    const seen = new Set(members.map(nameOf));
    const { vulnerable_when = [], vulnerable_when_not = [] } = vector.oracle;
    for (const { member } of vulnerable_when) assert.ok(!seen.has(member), vector.name);
    for (const { member } of vulnerable_when_not) assert.ok(seen.has(member), vector.name);
  }
});
