/** The contract of sources, on the example of a source of one's own. */

import { createHash } from "node:crypto";
import { test } from "node:test";
import { releaseServer } from "../../examples/own_source/release_server.ts";
import { openSource } from "../../lib/sources/open.ts";
import { startFaultyServer } from "../fixtures/faulty_server.ts";
import type { ContractEgg, ContractStage } from "../source_contract.ts";
import { testSource } from "../source_contract.ts";

/** A release server as the example knows them. */
async function openStage(): Promise<ContractStage> {
  const eggs = new Map<string, ContractEgg>();
  const server = await startFaultyServer({
    find(path) {
      const project = /^\/projects\/(.*)$/.exec(path)?.[1];
      if (project === undefined) {
        const egg = eggs.get(path.replace("/files/", ""));
        return egg === undefined ? null : { body: egg.archive };
      }
      const own = [...eggs.values()]
        .filter(({ manifest }) => manifest.name === decodeURIComponent(project));
      if (own.length === 0) return null;
      const listing = Object.fromEntries(own.map(({ manifest, filename, archive }) => [
        manifest.version,
        {
          file: `files/${filename}`,
          bytes: archive.length,
          sha512: createHash("sha512").update(archive).digest("hex"),
        },
      ]));
      return { body: new TextEncoder().encode(JSON.stringify(listing)) };
    },
  });
  return {
    source: openSource(`releases+${server.url}`),
    publish: (egg) => void eggs.set(egg.filename, egg),
    remove: ({ filename }) => void eggs.delete(filename),
    fail({ filename }, fault) {
      const path = `/files/${filename}`;
      if (fault === null) server.heal(path);
      else server.fail(path, fault === "deny" ? { status: 403 } : fault);
    },
    fetch: server.fetch,
    close: () => server.close(),
  };
}

testSource({
  name: releaseServer.name,
  kind: "network",
  open: openStage,
  lacks: { resume: "the example asks for the whole again" },
}, {
  test: (title, run) => test(title, run),
  skip(title, reason) {
    console.log(`# skip ${title}: ${reason}`);
    test(title, { skip: reason }, () => {});
  },
});
