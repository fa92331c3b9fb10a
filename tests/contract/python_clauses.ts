/**
 * What the contract of sources has besides, where eggs are those of Python projects: one version
 * has several files, whose names say what they fit, and metadata may be had without the archive.
 *
 * @module
 */

import { bytesOf } from "../fixtures/fetched.ts";
import {
  claim,
  claimFails,
  claimProven,
  claimSameBytes,
  onlyRelease,
  publishHello,
  releasesOf,
  stageContext,
} from "./claims.ts";
import type { Clause } from "./clauses.ts";

/** The part of the contract that is about Python eggs alone. */
export const PYTHON_CLAUSES: Clause[] = [
  {
    title: "tells of a wheel what its name says",
    async run(stage, eggs) {
      const egg = await eggs.make("hello", "1.0.0", { tag: "cp311-abi3-linux_x86_64" });
      await stage.publish(egg);
      const { python, manifest } = await onlyRelease(stage, egg);
      claim(python !== undefined && manifest === undefined, "it listed a wheel as an npm tarball");
      const { kind, project, version, tags } = python.file;
      const found = [kind, project, version, tags].join(" ");
      claim(found === `wheel ${egg.manifest.name} 1.0.0 cp311-abi3-linux_x86_64`, found);
    },
  },
  {
    title: "lists every file of a version",
    async run(stage, eggs) {
      const files = await Promise.all(
        ["py3-none-any", "cp311-cp311-linux_x86_64", "cp312-cp312-win_amd64"]
          .map((tag, index) => eggs.make("hello", "1.0.0", { tag, seed: index + 1 })),
      );
      for (const file of files) await stage.publish(file);
      const context = stageContext(stage);
      const releases = await releasesOf(stage, eggs, eggs.named("hello"), context);
      claim(releases.length === files.length, `it listed ${releases.length} files of a version`);
      for (const file of files) {
        const found = releases.find(({ python }) =>
          file.filename.endsWith(`-${python?.file.tags}.whl`)
        );
        claim(found !== undefined, `it did not list ${file.filename}`);
        claimSameBytes(bytesOf(await stage.source.fetch(found.artifact, context)), file.archive);
      }
    },
  },
  {
    title: "finds a project however its files write the name",
    async run(stage, eggs) {
      const { manifest: { name } } = await eggs.make("hello-world", "1.0.0");
      for (const [index, written] of ["hello_world", "Hello.World", "hello__world"].entries()) {
        await stage.publish(await eggs.make("hello-world", `${index}.0`, { written }));
      }
      const releases = await releasesOf(stage, eggs, name, stageContext(stage));
      const versions = releases.map(({ version }) => version).sort().join();
      claim(versions === "0.0,1.0,2.0", `it listed ${versions}`);
      claim(releases.every(({ project }) => project === name), "it listed another project's name");
    },
  },
  {
    title: "brings the metadata of a wheel apart from the wheel",
    part: "metadata",
    async run(stage, eggs) {
      const { egg } = await publishHello(stage, eggs);
      const release = await onlyRelease(stage, egg);
      const { source } = stage;
      const metadata = release.python?.metadata;
      claim(metadata !== undefined, "it does not list what was published with the wheel");
      claim(source.pythonMetadata !== undefined, "it lists metadata that it cannot bring");
      const ask = (signal = new AbortController().signal) =>
        source.pythonMetadata!(release, stageContext(stage, { signal }));
      const bytes = await ask();
      claimSameBytes(bytes, egg.metadata!);
      await claimProven(bytes, { digests: metadata.digests });
      if (source.kind === "network") {
        const stopped = AbortSignal.abort(new Error("stopped before"));
        await claimFails(ask(stopped), source, ["source-timeout"]);
      }
      await stage.remove(egg);
      await claimFails(ask(), source, ["egg-missing"]);
    },
  },
];
