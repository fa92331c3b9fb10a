import assert from "node:assert/strict";
import { test } from "node:test";
import { appOfProject } from "../../lib/cli/run.ts";
import { resolveOptions } from "../../lib/options.ts";

test("appOfProject() gives every project an application of its own, by a name that may be one", () => {
  assert.equal(appOfProject("cowsay", "js"), "run-cowsay");
  assert.equal(appOfProject("cowsay", null), "run-cowsay");
  assert.equal(appOfProject("cowsay", "python"), "run-python-cowsay");
  const long = "a".repeat(214);
  const apps = [
    ...["b", "a-b", "@a/b", "@a/b-c", "@a-b/c", "python-b", "@python/b", long, `${long}b`]
      .map((project) => appOfProject(project, "js")),
    ...["b", "python-b", "a-b"].map((project) => appOfProject(project, "python")),
  ];
  assert.equal(new Set(apps).size, apps.length, apps.join(" "));
  for (const app of apps) resolveOptions({ app });
});
