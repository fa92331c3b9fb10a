import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { delimiter } from "node:path";
import { test } from "node:test";
import { presentPythonEggs } from "../../lib/store/present_eggs.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";

test("presentPythonEggs() finds eggs, and what is installed in folders; the first of each project", () => {
  using folder = temporaryFolder();
  const at = (path: string) => `${folder.path}/${path}`;
  mkdirSync(at("site/Foo_Bar-1.5.dist-info"), { recursive: true });
  mkdirSync(at("site/six-1.0-py3.11.egg-info"), { recursive: true });
  mkdirSync(at("store/site/own-1.0.dist-info"), { recursive: true });
  writeFileSync(at("six-2.0-py3.11.egg"), "");
  const present = presentPythonEggs(
    [at("six-2.0-py3.11.egg"), at("site"), at("store/site"), at("nowhere"), ""].join(delimiter),
    at("store"),
  );
  assert.deepEqual(present.map(({ project, version }) => `${project} ${version}`), [
    "six 2.0",
    "foo-bar 1.5",
  ]);
});

test("presentPythonEggs() passes over an egg that is not there, as Python does", () => {
  assert.deepEqual(presentPythonEggs("/nowhere/six-2.0-py3.11.egg", "/store"), []);
});
