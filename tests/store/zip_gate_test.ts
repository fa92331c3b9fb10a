import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { crc32, deflateRawSync } from "node:zlib";
import { isTransmuteError } from "../../lib/errors.ts";
import { readZipMembers } from "../../lib/store/zip_gate.ts";
import { joined, numbers } from "../fixtures/byte_fields.ts";
import type { RawZipEntry, ZipFrame } from "../fixtures/raw_zip.ts";
import { descriptor, extra, wideEnd, zip } from "../fixtures/raw_zip.ts";
import { refusal } from "../fixtures/refusal.ts";

const LIMITS = { maxEntries: 100, maxUnpackedBytes: 1_000_000 };
const TEXT = "print('hello')\n".repeat(20);
const encode = (text: string) => new TextEncoder().encode(text);
const packed = new Uint8Array(deflateRawSync(encode(TEXT)));

/** An entry as a packer writes it that does not know sizes beforehand. */
const streamed = (name: string, change: Partial<RawZipEntry> = {}): RawZipEntry => ({
  name,
  content: TEXT,
  method: 8,
  local: { flags: 8, crc: 0, packedBytes: 0, unpackedBytes: 0 },
  after: descriptor(crc32(encode(TEXT)), packed.length, TEXT.length),
  ...change,
});

test("readZipMembers() reads stored and deflated files, and folders", async () => {
  const members = await readZipMembers(
    zip([
      { name: "six/", mode: 0o40755 },
      { name: "six/six.py", content: TEXT, method: 8 },
      { name: "six/empty", content: "", method: 8 },
      { name: "bin/six", content: "#!/bin/sh\n", mode: 0o100755 },
    ]),
    LIMITS,
  );
  assert.deepEqual(
    members.map(({ kind, path, bytes, executable }) => [kind, path, bytes.length, executable]),
    [
      ["folder", "six", 0, false],
      ["file", "six/six.py", TEXT.length, false],
      ["file", "six/empty", 0, false],
      ["file", "bin/six", 10, true],
    ],
  );
  assert.equal(new TextDecoder().decode(members[1].bytes), TEXT);
});

const ACCEPTED: [what: string, entries: RawZipEntry[], frame?: ZipFrame][] = [
  ["nothing at all", []],
  ["no modes, as Windows packs it", [{ name: "a", mode: 0 }, {
    name: "b/",
    mode: 0,
    attributes: 0x10,
  }]],
  ["a comment", [{ name: "a" }], { end: { comment: "made by hand" } }],
  ["sizes after the content", [streamed("a")]],
  ["sizes after the content, and the directory says so", [
    streamed("a", { central: { flags: 8 } }),
  ]],
  ["names in UTF-8", [{ name: "naïve.py", both: { flags: 0x800 } }]],
  ["times in extra fields that differ", [{
    name: "a",
    local: { extra: extra(0x5455, "long") },
    central: { extra: extra(0x5455, "s") },
  }]],
  ["a directory with a zip64 record of it", [{ name: "a" }], { beforeEnd: wideEnd(1, 47, 31) }],
  ["a folder whose nothing is deflated", [{ name: "a/", content: "", method: 8, mode: 0o40755 }]],
  ["a hard effort", [{ name: "a", content: TEXT, method: 8, both: { flags: 2 } }]],
];

for (const [what, entries, frame] of ACCEPTED) {
  test(`readZipMembers() accepts ${what}`, async () => {
    const members = await readZipMembers(zip(entries, frame), LIMITS);
    assert.equal(members.length, entries.length);
  });
}

/** Each archive has one thing wrong with it. */
const REFUSED: [what: string, archive: Uint8Array, ...words: string[]][] = [
  ["nothing", new Uint8Array(), "0 bytes that are no zip"],
  ["what is no zip", encode("x".repeat(100)), "100 bytes that are no zip"],
  ["bytes before the first entry", zip([{ name: "a" }], { before: encode("#!") }), "at byte 2"],
  ["bytes after the end", zip([{ name: "a" }], { after: encode("x") }), "after the end"],
  ["bytes before the directory", zip([{ name: "a" }], { beforeDirectory: encode("x") }), "between"],
  ["bytes between entries", zip([{ name: "a", after: encode("x") }, { name: "b" }]), "wanted 31"],
  ["bytes after the directory", zip([{ name: "a" }], { beforeEnd: encode("x") }), "and its end"],
  [
    "a zip in its comment",
    zip([{ name: "a" }], {
      end: { comment: new TextDecoder().decode(zip([{ name: "b" }])) },
    }),
    "between the directory",
  ],
  ["a comment of binary", zip([{ name: "a" }], { end: { comment: "\x01" } }), "no plain text"],
  ["a comment that names a record", zip([{ name: "a" }], { end: { comment: "PK" } }), "comment"],
  ["fewer entries than it says", zip([{ name: "a" }], { end: { here: 2, count: 2 } }), "fewer"],
  [
    "more entries than it says",
    zip([{ name: "a" }, { name: "b" }], {
      end: { here: 1, count: 1 },
    }),
    "more entries",
  ],
  ["a part of several", zip([{ name: "a" }], { end: { disk: 1 } }), "several parts"],
  ["entries in another part", zip([{ name: "evil", central: { disk: 1 } }]), '"evil"', "part"],
  [
    "entries that overlap",
    zip([
      { name: "evil", content: "x" },
      { name: "evil2", content: "x", central: { offset: 0 } },
    ]),
    '"evil2"',
    "at byte 0",
  ],
  [
    "two entries of one place",
    zip([{ name: "a" }, { name: "a", central: { offset: 0 } }]),
    "byte 0",
  ],
  ["one name twice", zip([{ name: "evil" }, { name: "evil" }]), '"evil"', "twice"],
  ["names that differ by case", zip([{ name: "Evil" }, { name: "evil" }]), "one name"],
  [
    "names that differ by form",
    zip([
      { name: "\u00e9", both: { flags: 0x800 } },
      { name: "e\u0301", both: { flags: 0x800 } },
    ]),
    "one name",
  ],
  ["a file that is a folder too", zip([{ name: "a" }, { name: "a/b" }]), "as a folder"],
  ["a path that climbs out", zip([{ name: "../evil" }]), '".."'],
  ["an absolute path", zip([{ name: "/evil" }]), "absolute"],
  ["a backslash", zip([{ name: "a\\evil" }]), "backslash"],
  ["a drive", zip([{ name: "C:evil" }]), "drive"],
  ["a device of Windows", zip([{ name: "nul.txt" }]), "device"],
  ["a stream of Windows", zip([{ name: "file:stream" }]), '":"'],
  ["a NUL in a name", zip([{ name: "evil\0.txt" }]), "NUL"],
  ["no name", zip([{ name: "" }]), "without a name"],
  ["a name in another code page", zip([{ name: new Uint8Array([0x65, 0x82]) }]), "neither ASCII"],
  [
    "a name that is not the UTF-8 it says",
    zip([
      { name: new Uint8Array([0x65, 0xff]), both: { flags: 0x800 } },
    ]),
    "not UTF-8",
  ],
  ["another name in its own header", zip([{ name: "good", local: { name: "evil" } }]), '"evil"'],
  [
    "another size in its own header",
    zip([{ name: "evil", local: { unpackedBytes: 9 } }]),
    "header",
  ],
  ["another packed size", zip([{ name: "evil", local: { packedBytes: 9 } }]), "another header"],
  ["another CRC", zip([{ name: "evil", local: { crc: 9 } }]), "another header"],
  ["another method", zip([{ name: "evil", local: { method: 8 } }]), "another header"],
  ["another time", zip([{ name: "evil", local: { time: 9 } }]), "another header"],
  ["other flags", zip([{ name: "evil", local: { flags: 2 } }]), "another header"],
  [
    "a flag of streams in the directory alone",
    zip([
      { name: "evil", content: TEXT, method: 8, central: { flags: 8 } },
    ]),
    "another header",
  ],
  ["encryption", zip([{ name: "evil", both: { flags: 1 } }]), "encrypted"],
  ["strong encryption", zip([{ name: "evil", both: { flags: 0x40 } }]), "0x40"],
  ["patches", zip([{ name: "evil", both: { flags: 0x20 } }]), "0x20"],
  ["masked headers", zip([{ name: "evil", both: { flags: 0x2000 } }]), "0x2000"],
  ["a method that is neither", zip([{ name: "evil", both: { method: 93 } }]), "method 93"],
  ["a symbolic link", zip([{ name: "evil", content: "..", mode: 0o120777 }]), "0120777"],
  ["a device", zip([{ name: "evil", mode: 0o20644 }]), "020644"],
  ["a FIFO", zip([{ name: "evil", mode: 0o10644 }]), "010644"],
  ["a set-user-id bit", zip([{ name: "evil", mode: 0o104755 }]), "set-id"],
  [
    "a folder with the name of a file",
    zip([{ name: "evil", mode: 0, attributes: 0x10 }]),
    "name of a file",
  ],
  ["a file with the name of a folder", zip([{ name: "evil/", mode: 0o100644 }]), "0100644"],
  ["a folder with content", zip([{ name: "evil/", content: "x", mode: 0o40755 }]), "1 bytes in it"],
  ["content of another CRC", zip([{ name: "evil", content: "x", both: { crc: 1 } }]), "CRC"],
  [
    "content shorter than it says",
    zip([
      { name: "evil", packed, method: 8, content: `${TEXT}!`, both: { crc: crc32(TEXT) } },
    ]),
    `found ${TEXT.length} bytes`,
  ],
  [
    "content longer than it says",
    zip([
      { name: "evil", packed, method: 8, content: TEXT.slice(1) },
    ]),
    "expands to more",
  ],
  [
    "content that is no deflate",
    zip([
      { name: "evil", packed: encode("nonsense"), method: 8, content: TEXT },
    ]),
    "damaged",
  ],
  [
    "content that is cut off",
    zip([
      { name: "evil", packed: packed.subarray(0, -3), method: 8, content: TEXT },
    ]),
    "damaged",
  ],
  [
    "bytes after the content's end",
    zip([
      { name: "evil", packed: joined(packed, encode("evil")), method: 8, content: TEXT },
    ]),
    "after the end of its content",
  ],
  [
    "stored content of another size",
    zip([
      { name: "evil", content: "xyz", both: { unpackedBytes: 2 } },
    ]),
    "found 3 bytes",
  ],
  [
    "stored content of no size beforehand",
    zip([{
      name: "evil",
      content: "x",
      local: { flags: 8, crc: 0, packedBytes: 0, unpackedBytes: 0 },
      after: descriptor(crc32("x"), 1, 1),
    }]),
    "stored without its size",
  ],
  [
    "other sizes after the content",
    zip([
      streamed("evil", { after: descriptor(crc32(encode(TEXT)), packed.length, 1) }),
    ]),
    "other sizes after it",
  ],
  [
    "another CRC after the content",
    zip([
      streamed("evil", { after: descriptor(1, packed.length, TEXT.length) }),
    ]),
    "other sizes after it",
  ],
  [
    "nothing where sizes should follow",
    zip([streamed("evil", { after: new Uint8Array() })]),
    "cut off",
  ],
  [
    "sizes both before and after",
    zip([streamed("evil", { local: { flags: 8 } })]),
    "another header",
  ],
  ["extra fields cut off", zip([{ name: "evil", both: { extra: new Uint8Array(3) } }]), "cut off"],
  [
    "an extra field beyond the header",
    zip([
      { name: "evil", both: { extra: numbers([0x5455, 2], [9, 2]) } },
    ]),
    "cut off",
  ],
  [
    "an extra field twice",
    zip([
      { name: "evil", both: { extra: joined(extra(9, "a"), extra(9, "b")) } },
    ]),
    "two extra fields",
  ],
  [
    "another name in an extra field",
    zip([
      { name: "good", both: { extra: extra(0x7075, "\x01....evil") } },
    ]),
    "another name",
  ],
  [
    "a large size without its field",
    zip([{ name: "evil", both: { unpackedBytes: 0xffffffff } }]),
    "without the extra field",
  ],
  [
    "a field of large sizes for none",
    zip([
      { name: "evil", both: { extra: extra(1, numbers([1, 8])) } },
    ]),
    "large sizes",
  ],
  [
    "a size beyond all files",
    zip([{
      name: "evil",
      central: { unpackedBytes: 0xffffffff, extra: extra(1, new Uint8Array(8).fill(0xff)) },
    }]),
    "beyond all files",
  ],
  [
    "a zip64 record of other sizes",
    zip([{ name: "a" }], { beforeEnd: wideEnd(2, 47, 31) }),
    "differ",
  ],
  [
    "a zip64 record elsewhere",
    zip([{ name: "a" }], { beforeEnd: wideEnd(1, 47, 31, 5) }),
    "not where",
  ],
  [
    "large counts without a zip64 record",
    zip([{ name: "a" }], { end: { count: 0xffff } }),
    "unknown size",
  ],
  [
    "more files than allowed",
    zip(Array.from({ length: 101 }, (_, i) => ({ name: `f${i}` }))),
    "101 entries",
  ],
  ["more folders than allowed", zip([{ name: "d/".repeat(101) + "f" }]), "more than 100"],
  [
    "more bytes than allowed",
    zip([
      { name: "a", content: new Uint8Array(600_000), method: 8 },
      { name: "b", content: new Uint8Array(600_000), method: 8 },
    ]),
    "more than 1000000 bytes",
  ],
  [
    "a bomb that says it is small",
    zip([{
      name: "evil",
      content: "x",
      packed: new Uint8Array(deflateRawSync(new Uint8Array(50_000_000))),
      method: 8,
    }]),
    "expands to more than 1 bytes",
  ],
];

for (const [what, archive, ...words] of REFUSED) {
  test(`readZipMembers() refuses ${what}`, async () => {
    const error = await readZipMembers(archive, LIMITS).then(() => null, (error) => error);
    assert.ok(error !== null, "it was accepted");
    const code = isTransmuteError(error, "path-escapes") ? "path-escapes" : "archive-invalid";
    refusal(code, ...words)(error);
  });
}

test("readZipMembers() refuses every archive that is cut off anywhere", async () => {
  const whole = zip([{ name: "a", content: TEXT, method: 8 }, streamed("b")]);
  for (let length = 0; length < whole.length; length++) {
    const cut = readZipMembers(whole.subarray(0, length), LIMITS);
    assert.ok(await cut.then(() => false, (error) => isTransmuteError(error)), `at ${length}`);
  }
});

const CORPUS = "../shared/corpora/malo/zip";
const absent = existsSync(CORPUS) ? false : `there is no folder ${CORPUS}`;
// Not every runner prints why it skips.
if (absent) console.warn(`Outside zip vectors skipped: ${absent}`);

/** What is odd, but has one reading for everybody. */
const ODD_AND_PLAIN = [
  "crc_collision_empty_nonempty.zip",
  "crc_collision_two_nonempty.zip",
  "crc_zero_nonempty.zip",
  "nosubdir.zip",
];
const VECTORS: [set: string, accepted: (names: string[]) => string[]][] = [
  ["accept", (names) => names],
  ["iffy", () => ODD_AND_PLAIN],
  ["malicious", () => []],
  ["reject", () => []],
];

for (const [set, accepted] of VECTORS) {
  test(`readZipMembers() judges the outside vectors: ${set}`, { skip: absent }, async () => {
    const names = readdirSync(`${CORPUS}/${set}`).filter((name) => name.endsWith(".zip")).sort();
    assert.ok(names.length > 0);
    const found: string[] = [];
    for (const name of names) {
      const bytes = new Uint8Array(readFileSync(`${CORPUS}/${set}/${name}`));
      try {
        await readZipMembers(bytes, LIMITS);
        found.push(name);
      } catch (error) {
        assert.ok(isTransmuteError(error), `${name}: ${error}`);
      }
    }
    assert.deepEqual(found, accepted(names));
  });
}
