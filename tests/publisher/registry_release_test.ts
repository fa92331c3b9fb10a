import assert from "node:assert/strict";
import { test } from "node:test";
import { publish } from "../../lib/publisher/publish.ts";
import { parseRegistryEgg, readRegistryReleases } from "../../lib/publisher/registry_release.ts";
import { openSource } from "../../lib/sources/open.ts";
import { startRegistry } from "../fixtures/npm_registry.ts";
import { refusal } from "../fixtures/refusal.ts";
import { seen, testRepository } from "../fixtures/signed_repository.ts";

const MANIFEST = { name: "@scope/hello", version: "1.0.0", type: "module", exports: "./a.js" };
const FILES = { "a.js": "export default 1;" };

test("readRegistryReleases() signs what a registry holds, and leaves the bytes there", async () => {
  await using registry = await startRegistry();
  await registry.publish({ manifest: MANIFEST, files: FILES });
  const { destination, root, signing } = await testRepository();
  const [release] = await readRegistryReleases(
    "npm:@scope/hello@1.0.0",
    openSource(registry.source),
  );
  await publish(destination, root, [release], {}, signing);
  const [{ custom, sizeBytes }] = await seen(destination, root, "@scope/hello");
  assert.deepEqual([custom.origin, custom.version], ["npm", "1.0.0"]);
  assert.equal(sizeBytes, release.archive.length);
  assert.ok(![...destination.objects.keys()].some((path) => path.startsWith("targets/")));
});

test("readRegistryReleases() refuses what the registry has not", async () => {
  await using registry = await startRegistry();
  await registry.publish({ manifest: MANIFEST, files: FILES });
  const source = openSource(registry.source);
  for (const text of ["npm:@scope/hello@2.0.0", "npm:other@1.0.0"]) {
    await assert.rejects(readRegistryReleases(text, source), refusal("release-missing", text));
  }
});

test("parseRegistryEgg() knows addresses of npm from paths", () => {
  const egg = { project: "@scope/hello", version: "1.0.0" };
  assert.deepEqual(parseRegistryEgg("npm:@scope/hello@1.0.0"), { origin: "npm", egg });
  assert.equal(parseRegistryEgg("hello-1.0.0.tgz"), null);
  assert.throws(() => parseRegistryEgg("npm:hello"), refusal("option-invalid", '"hello"'));
});
