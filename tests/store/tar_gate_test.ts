import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import { readTar } from "../../lib/store/unpack.ts";
import {
  body,
  bytesOf,
  END,
  entry,
  file,
  header,
  join,
  pax,
  paxRecord,
  tar,
} from "../fixtures/raw_tar.ts";
import { refusal } from "../fixtures/refusal.ts";

const LIMITS = { maxUnpackedBytes: 16 * 1024 ** 2 };
const hidden = entry("package/hidden.js", "hidden");

const LONG = `package/${"folder/".repeat(30)}index.js`;

/** Access and change time, as octal fields. */
const TIMES = "14000000000 14000000001 ";

const ACCEPTED_FORMS: [title: string, archive: Uint8Array, paths: string[]][] = [
  ["a prefix", tar(file("a.js", { prefix: "package/lib" })), ["lib/a.js"]],
  [
    "a name of 100 bytes without a NUL",
    tar(file(`package/${"a".repeat(92)}`)),
    ["a".repeat(92)],
  ],
  [
    "times behind a short prefix, as npm's packer writes them",
    tar(file("a.js", { prefix: join(bytesOf("package"), new Uint8Array(124), bytesOf(TIMES)) })),
    ["a.js"],
  ],
  [
    "a path from a pax header",
    tar(pax([`path=${LONG}`, "mtime=1.5"]), file("package/folder/fold")),
    [LONG.slice(8)],
  ],
  ["a path from a pax header alone", tar(pax(["path=package/a.js"]), file("")), ["a.js"]],
  [
    "a pax size equal to the header's",
    tar(pax(["size=1"]), file("package/a.js")),
    ["a.js"],
  ],
  [
    "pax keys of archivers that change nothing",
    tar(
      pax(["LIBARCHIVE.creationtime=1", "SCHILY.dev=2", "uid=3", "comment=", "NODETAR.depth=0"]),
      file("package/a.js"),
    ),
    ["a.js"],
  ],
  [
    "a global comment first, as git writes it",
    tar(pax(["comment=0123abc"], "g"), file("package/a.js")),
    ["a.js"],
  ],
  ["a file of the type that tars had before POSIX", tar(file("package/a.js", { type: "\0" })), [
    "a.js",
  ]],
  ["GNU's magic on an ordinary file", tar(file("package/a.js", { magic: "ustar  \0" })), ["a.js"]],
  [
    "modes with the type in them",
    tar(
      entry("package/lib/", "", { type: "5", mode: "0040755\0" }),
      file("package/a.js", { mode: "0100644\0" }),
    ),
    ["a.js"],
  ],
  [
    "a folder with a set-group-id bit, which is never applied",
    tar(
      entry("package/lib/", "", { type: "5", mode: 0o2755 }),
      file("package/lib/a.js"),
    ),
    ["lib/a.js"],
  ],
  [
    "a folder listed after its files",
    tar(file("package/lib/a.js"), entry("package/lib", "", { type: "5" })),
    ["lib/a.js"],
  ],
  ["numbers padded with spaces", tar(file("package/a.js", { size: "          1 " })), ["a.js"]],
  [
    "many zero blocks at the end",
    tar(file("package/a.js"), new Uint8Array(9 * 512)),
    ["a.js"],
  ],
];

for (const [title, archive, paths] of ACCEPTED_FORMS) {
  test(`readTar() accepts ${title}`, () => {
    assert.deepEqual(readTar(archive, LIMITS).map((entry) => entry.path), paths);
  });
}

const TYPES: [type: string, words: string][] = [
  ["1", "a hard link"],
  ["2", "a symbolic link"],
  ["3", "a character device"],
  ["4", "a block device"],
  ["6", "a FIFO"],
  ["7", "a contiguous file"],
  ["D", "a GNU folder dump"],
  ["K", "a GNU long link name"],
  ["L", "a GNU long name"],
  ["M", "a continuation"],
  ["S", "a GNU sparse file"],
  ["V", "a GNU volume label"],
  ["A", 'the type "A"'],
  ["X", 'the type "X"'],
];

for (const [type, words] of TYPES) {
  test(`readTar() refuses an entry of the type ${JSON.stringify(type)}, naming it`, () => {
    assert.throws(
      () => readTar(tar(entry("package/evil", "", { type, linkName: "../.." })), LIMITS),
      refusal("archive-invalid", '"package/evil"', words),
    );
  });
}

/** Each archive has one thing wrong with the entry that is named `evil`. */
const BROKEN: [title: string, archive: Uint8Array, ...words: string[]][] = [
  ["a wrong checksum", tar(file("package/evil", { checksum: "0001234\0" })), "checksum"],
  ["a checksum that is no number", tar(file("package/evil", { checksum: "ABCDEF\0 " })), "sum"],
  ["a folder from before POSIX", tar(file("package/evil/", { type: "\0" })), "before POSIX"],
  [
    "a folder from before POSIX that a pax header calls otherwise",
    tar(pax(["path=package/evil"]), file("package/other/", { type: "\0" })),
    "before POSIX",
  ],
  ["a header without magic", tar(file("package/evil", { magic: "" })), "wanted ustar"],
  ["another format", tar(file("package/evil", { magic: "ustar\x0001" })), "wanted ustar"],
  ["a size that is not octal", tar(file("package/evil", { size: "00000000009\0" })), "a size"],
  [
    "a binary size",
    tar(file("package/evil", { size: new Uint8Array([0x80, ...new Array(10).fill(0), 1]) })),
    "a size",
  ],
  [
    "digits after the end of a size",
    tar(file("package/evil", { size: "1\x00007777777\0" })),
    "a size",
  ],
  ["no size", tar(file("package/evil", { size: new Uint8Array(12) })), "a size"],
  ["a negative size", tar(file("package/evil", { size: "-0000000001\0" })), "a size"],
  ["a size beyond the archive", tar(file("package/evil", { size: 4096 })), "4096 bytes", "1536"],
  ["a huge size", tar(file("package/evil", { size: "77777777777\0" })), "8589934591 bytes"],
  ["a mode that is not octal", tar(file("package/evil", { mode: "rw-r--r-" })), "a mode"],
  ["a mode of a link", tar(file("package/evil", { mode: "0120777\0" })), "0120777"],
  ["a set-user-id bit", tar(file("package/evil", { mode: 0o4755 })), "04755"],
  ["a set-group-id bit", tar(file("package/evil", { mode: 0o2755 })), "02755"],
  ["a sticky bit", tar(file("package/evil", { mode: 0o1644 })), "01644"],
  ["the target of a link on a file", tar(file("package/evil", { linkName: "a" })), "target"],
  ["bytes after the end of a name", tar(file("package/evil\0a")), "unused"],
  [
    "bytes after the end of a prefix",
    tar(file("evil", { prefix: "package\0a" })),
    "unused",
  ],
  [
    "a prefix in GNU's format, which means something else there",
    tar(file("evil", { prefix: "package", magic: "ustar  \0" })),
    "unused",
  ],
  [
    "bytes after the content",
    tar(header({ name: "package/evil", size: 1 }), body("x", 0x61)),
    "last block",
  ],
  [
    "a name that is not UTF-8",
    tar(entry(join(bytesOf("package/evil"), new Uint8Array([0xe9])), "x")),
    "UTF-8",
  ],
  [
    "a folder with content",
    tar(entry("package/evil/", hidden, { type: "5" })),
    "a folder with 1024 bytes",
  ],
  [
    "a folder listed twice",
    tar(entry("package/evil/", "", { type: "5" }), entry("package/evil/", "", { type: "5" })),
    "twice",
  ],
  [
    "a pax size unlike the header's",
    tar(pax(["size=1024"]), file("package/evil"), hidden),
    '"1024"',
    "wanted 1",
  ],
  [
    "a pax path above another that escapes",
    tar(pax(["path=package/evil"]), file("../a.js")),
    '"../a.js"',
  ],
  ["two pax headers for one entry", tar(pax(["uid=1"]), pax(["uid=1"]), file("package/evil"))],
  [
    "a global pax header between an entry and its own",
    tar(pax(["path=package/a.js"]), pax(["comment=a"], "g"), file("package/evil")),
  ],
  ["a file outside the top folder", tar(file("package/a.js"), file("other/evil")), '"package"'],
  ["a file beside the top folder", tar(file("package/a.js"), file("evil")), "beside"],
];

for (const [title, archive, ...words] of BROKEN) {
  test(`readTar() refuses ${title}, naming the entry`, () => {
    assert.throws(
      () => readTar(archive, LIMITS),
      (error) => {
        assert.ok(isTransmuteError(error), String(error));
        const named = /^Cannot unpack "(?:[^"]*evil[^"]*|PaxHeader\/next|package\/a\.js)": /;
        assert.match(error.message, named);
        const code = title.includes("escapes") ? "path-escapes" : "archive-invalid";
        return refusal(code, ...words)(error);
      },
    );
  });
}

const NUL_IN_PATH = paxRecord("path=package/a\0b");
const WRONG_PAX: [title: string, content: string[] | string | Uint8Array, words: string][] = [
  ["the target of a link", ["linkpath=../.."], '"linkpath"'],
  ["a character set", ["hdrcharset=BINARY"], '"hdrcharset"'],
  ["a sparse file", ["GNU.sparse.major=1"], '"GNU.sparse.major"'],
  ["another real size", ["SCHILY.realsize=1"], '"SCHILY.realsize"'],
  ["a key that nobody knows", ["unknown=1"], '"unknown"'],
  ["an empty key", ["=1"], '""'],
  ["a key with a NUL", ["pa\0th=package/b"], "pa\\u0000th"],
  ["a path with a NUL", NUL_IN_PATH, "a NUL"],
  ["an empty path", ["path="], "between two slashes"],
  ["two paths", ["path=package/a", "path=package/b"], "two of path"],
  ["no equals sign", ["path"], "no key"],
  ["a length with a leading zero", "011 path=a\n", "not made of records"],
  ["a length that is too long", "99 path=a\n", "not made of records"],
  ["a length that is too short", "8 path=a\n", "not made of records"],
  ["a length that is no number", "ab path=a\n", "not made of records"],
  ["a length of zero", "0 path=a\n", "not made of records"],
  ["no space", "path=a\n", "not made of records"],
  ["no newline", "10 path=abc", "not made of records"],
  ["zeros after its records", `${paxRecord("uid=1")}\0\0`, "not made of records"],
  ["a path that is not UTF-8", join(bytesOf("9 path="), new Uint8Array([0xe9, 10])), "not UTF-8"],
  ["an overlong path", join(bytesOf("11 path="), new Uint8Array([0xc0, 0xaf, 10])), "not UTF-8"],
  ["more bytes than any real one", [`comment=${"a".repeat(65536)}`], "65551 bytes"],
];

for (const [title, content, words] of WRONG_PAX) {
  test(`readTar() refuses a pax header with ${title}`, () => {
    assert.throws(
      () => readTar(tar(pax(content), file("package/a.js")), LIMITS),
      refusal("archive-invalid", "Cannot unpack", words),
    );
  });
}

for (const key of ["path=package/b.js", "size=0", "linkpath=b"]) {
  test(`readTar() refuses a global pax header that sets ${key}`, () => {
    assert.throws(
      () => readTar(tar(pax([key], "g"), file("package/a.js")), LIMITS),
      refusal("archive-invalid", JSON.stringify(key.split("=")[0])),
    );
  });
}

const BAD_ENDS: [title: string, archive: Uint8Array, words: string][] = [
  ["nothing", new Uint8Array(0), "without the two zero blocks"],
  ["no end", file("package/a.js"), "without the two zero blocks"],
  ["one zero block", join(file("package/a.js"), new Uint8Array(512)), "one zero block"],
  ["a cut header", file("package/a.js").subarray(0, 300), "without the two zero blocks"],
  ["entries after the end", join(tar(file("package/a.js")), tar(hidden)), "after the zero blocks"],
  [
    "entries after one zero block",
    join(file("package/a.js"), new Uint8Array(512), tar(hidden)),
    "after the zero blocks",
  ],
  ["half a block at the end", join(file("package/a.js"), END, new Uint8Array(7)), "whole blocks"],
  ["a pax header at the end", tar(file("package/a.js"), pax(["uid=1"])), "a pax header at its end"],
];

for (const [title, archive, words] of BAD_ENDS) {
  test(`readTar() refuses an archive of or with ${title}`, () => {
    assert.throws(() => readTar(archive, LIMITS), refusal("archive-invalid", words));
  });
}
