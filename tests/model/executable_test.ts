import assert from "node:assert/strict";
import { test } from "node:test";
import {
  knownTargets,
  manifestOfExecutable,
  parseExecutableName,
} from "../../lib/model/executable.ts";

const LINUX = "x86_64-unknown-linux-gnu";

const NAMES: [name: string, read: ReturnType<typeof parseExecutableName>][] = [
  [`mytool-1.2.3-${LINUX}`, {
    ...{ project: "mytool", version: "1.2.3", target: LINUX },
    ...{ packing: null, program: "mytool" },
  }],
  ["my-tool-1.2.3-rc.1-aarch64-apple-darwin.zst", {
    ...{ project: "my-tool", version: "1.2.3-rc.1", target: "aarch64-apple-darwin" },
    ...{ packing: "zst", program: "my-tool" },
  }],
  ["mytool-1.2.3+build.5-x86_64-pc-windows-msvc.exe.gz", {
    ...{ project: "mytool", version: "1.2.3+build.5", target: "x86_64-pc-windows-msvc" },
    ...{ packing: "gz", program: "mytool.exe" },
  }],
  ["mytool-1.2.3-aarch64-unknown-linux-musl", {
    ...{ project: "mytool", version: "1.2.3", target: "aarch64-unknown-linux-musl" },
    ...{ packing: null, program: "mytool" },
  }],
  ["mytool-1.2.3", null],
  ["mytool-1.2.3.tgz", null],
  [`mytool-1.2-${LINUX}`, null],
  ["mytool-1.2.3-x86_64-unknown-beos", null],
  ["mytool-1.2.3-sparc-unknown-linux-gnu", null],
  [`mytool-1.2.3-${LINUX}.zip`, null],
  [`../mytool-1.2.3-${LINUX}`, null],
];

for (const [name, read] of NAMES) {
  test(`parseExecutableName() reads ${name}`, () => {
    assert.deepEqual(parseExecutableName(name), read);
  });
}

test("manifestOfExecutable() says in npm's words for which machines it is", () => {
  const manifests = knownTargets().map((target) =>
    manifestOfExecutable(parseExecutableName(`mytool-1.2.3-${target}`)!)
  );
  assert.equal(manifests.length, 10);
  assert.deepEqual(manifests[0], {
    ...{ name: "mytool", version: "1.2.3" },
    ...{ os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
  });
});
