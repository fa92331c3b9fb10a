import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ecosystem, Release } from "../../lib/model/egg.ts";
import { parseExecutableName } from "../../lib/model/executable.ts";
import type { PythonRelease } from "../../lib/model/python.ts";
import { parsePythonFileName } from "../../lib/model/python_file.ts";
import type { Source } from "../../lib/sources/source.ts";
import { executableReleases, listExecutables } from "../../lib/updater/executable_offer.ts";
import { rejection } from "../fixtures/refusal.ts";
import { ask } from "../fixtures/resolution.ts";
import { contextOf } from "../fixtures/source_context.ts";

const LINUX = "py3-none-manylinux_2_17_x86_64";

function python(name: string, more: Partial<PythonRelease> = {}): Release {
  const file = parsePythonFileName(name)!;
  const artifact = { locator: `/dist/${name}`, digests: [], validator: name };
  return { project: file.project, version: file.version, artifact, python: { file, ...more } };
}

/** A source of files by their names: executables, and eggs of Python. */
function folder(...names: string[]): Source & { asked: [Ecosystem, string][] } {
  const asked: [Ecosystem, string][] = [];
  return {
    id: "folder",
    kind: "network",
    ecosystems: ["js", "python"],
    asked,
    list(project, _context, ecosystem = "js") {
      asked.push([ecosystem, project]);
      const releases = names.flatMap((name): Release[] => {
        const executable = parseExecutableName(name);
        if (executable === null) return ecosystem === "python" ? [python(name)] : [];
        const artifact = { locator: `/dist/${name}`, digests: [], validator: name };
        const { version } = executable;
        const manifest = { name: project, version, os: ["linux"] };
        return ecosystem === "js" ? [{ project, version, artifact, executable, manifest }] : [];
      });
      return Promise.resolve({ listing: { project, releases, tags: {} }, cached: true });
    },
    fetch: () => Promise.reject(new Error("this source has no bytes")),
  };
}

const chosen = async (...names: string[]) => {
  const { resolution } = await ask({
    requirements: ["executable:mytool"],
    sources: [folder(...names)],
  });
  return resolution.closures[0].eggs[0].release.artifact.validator;
};

test("a wheel offers its program for each machine that its tags name", () => {
  const release = python("mytool-1.2.3-py3-none-macosx_10_13_universal2.whl");
  const offered = executableReleases("mytool", [release]);
  assert.deepEqual(
    offered.map(({ manifest }) => manifest),
    ["x64", "arm64"].map((cpu) => ({
      ...{ name: "mytool", version: "1.2.3", os: ["darwin"], cpu: [cpu] },
    })),
  );
  assert.ok(offered.every(({ executable }) => executable?.packing === "whl"));
  assert.ok(offered.every(({ artifact }) => artifact === release.artifact));
});

test("wheels of versions that only Python knows are left out, as are other archives", () => {
  const names = ["1.2", "1.2.3.4", "1.2.3rc1", "1.2.3.post1", "1!1.2.3", "1.2.3+local", "1.02.3"]
    .map((version) => python(`mytool-${version}-${LINUX}.whl`));
  assert.deepEqual(executableReleases("mytool", names), []);
  assert.deepEqual(
    executableReleases("mytool", [python("mytool-1.2.3.tar.gz"), python("mytool-1.2.3.egg")]),
    [],
  );
});

test("what keeps a wheel from being taken keeps its program", () => {
  const name = `mytool-1.2.3-${LINUX}.whl`;
  const why = (release: Release) => executableReleases("mytool", [release])[0].heldBack;
  assert.equal(why(python(name)), undefined);
  assert.equal(why(python(name, { yanked: "" })), "was yanked");
  assert.equal(why(python(name, { yanked: "loses data" })), "was yanked: loses data");
  const heldBack = "is on the channel beta";
  assert.equal(why({ ...python(name), heldBack }), heldBack);
  assert.equal(
    why(python("mytool-1.2.3-py3-none-any.whl")),
    "is a wheel for every machine (py3-none-any), which holds no program",
  );
});

test("listExecutables() asks each source for the worlds that it lists", async () => {
  const both = folder();
  await listExecutables(both, "My_Tool", contextOf());
  assert.deepEqual(both.asked, [["js", "My_Tool"], ["python", "my-tool"]]);
  const index = { ...folder(`mytool-1.2.3-${LINUX}.whl`), ecosystems: ["python"] as const };
  const { listing, cached } = await listExecutables(index, "mytool", contextOf());
  assert.deepEqual(index.asked, [["python", "mytool"]]);
  assert.deepEqual([listing.releases.length, listing.project, cached], [1, "mytool", true]);
  const { ecosystems: _none, ...registry } = folder();
  await listExecutables(registry, "mytool", contextOf());
  assert.deepEqual(registry.asked, [["js", "mytool"]]);
});

test("listExecutables() looks for no wheel of a name that Python does not have", async () => {
  const source = folder();
  await listExecutables(source, "@scope/mytool", contextOf());
  assert.deepEqual(source.asked, [["js", "@scope/mytool"]]);
});

test("the newest program is taken that is for this machine, in whatever it is packed", async () => {
  const plain = "mytool-2.0.0-x86_64-unknown-linux-gnu";
  const wheel = (version: string, tag = LINUX) => `mytool-${version}-${tag}.whl`;
  assert.equal(await chosen(plain, wheel("1.0.0"), wheel("3.0.0")), wheel("3.0.0"));
  assert.equal(await chosen(wheel("2.0.0"), plain), plain, "of equal versions");
  const others = ["win_amd64", "musllinux_1_2_x86_64", "macosx_11_0_arm64", "win32"]
    .map((platform) => wheel("4.0.0", `py3-none-${platform}`));
  assert.equal(await chosen(wheel("1.0.0"), ...others), wheel("1.0.0"));
});

test("of one version, the wheel is taken that runs on the oldest systems, and its last build", async () => {
  const [newer, older, rebuilt] = ["py3-none-manylinux_2_34_x86_64", LINUX, `1-${LINUX}`]
    .map((tag) => `mytool-1.0.0-${tag}.whl`);
  assert.equal(await chosen(newer, older), older);
  assert.equal(await chosen(older, newer, rebuilt), rebuilt);
});

test("wheels count for programs alone: whoever requires a project gets none of them", async () => {
  const error = await rejection(ask({
    requirements: ["js:mytool"],
    sources: [folder(`mytool-1.0.0-${LINUX}.whl`)],
  }));
  assert.equal(error.code, "no-matching-version");
});

test("where no wheel holds a program for this machine, the error says so of each", async () => {
  const error = await rejection(ask({
    requirements: ["executable:mytool"],
    sources: [folder("mytool-1.0.0-py3-none-any.whl", "mytool-0.9.0-py3-none-win_amd64.whl")],
  }));
  assert.equal(error.code, "no-matching-version");
  assert.match(error.message, /1\.0\.0 is a wheel for every machine \(py3-none-any\)/);
  assert.match(error.message, /0\.9\.0 for win32 only/);
});
