import assert from "node:assert/strict";
import { test } from "node:test";
import type { Source, SourceContext } from "../../lib/sources/source.ts";
import type { LastSeen, RepositoryMetadata } from "../../lib/store/metadata.ts";
import type { RepositorySettings } from "../../lib/updater/open_repository.ts";
import { openRepository } from "../../lib/updater/open_repository.ts";
import { refusal, rejection } from "../fixtures/refusal.ts";
import { folderSource, SignedFolder } from "../fixtures/signed_folder.ts";
import { contextOf } from "../fixtures/source_context.ts";
import { NOW } from "../fixtures/world.ts";

function keptMetadata(): RepositoryMetadata & { files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>();
  let seen: LastSeen | null = null;
  return {
    files,
    read: (name) => files.get(name) ?? null,
    write: (name, bytes) => void files.set(name, bytes),
    lastSeen: () => seen,
    see: (now) => void (seen = now),
  };
}

async function world(changes: Partial<RepositorySettings> = {}) {
  const folder = await SignedFolder.create();
  const repository = folderSource(folder);
  const kept = keptMetadata();
  const settings: RepositorySettings = {
    repository,
    root: folder.files.get("metadata/1.root.json")!,
    kept,
    now: () => NOW,
    tell: () => {},
    ...changes,
  };
  return {
    folder,
    kept,
    asked: repository.asked,
    open: (more: Partial<RepositorySettings> = {}) =>
      openRepository({ ...settings, ...more }, contextOf()),
    settings,
  };
}

/** A source whose files come as slowly as they can: never. */
function silentSource(): Source {
  return {
    ...folderSource(new SignedFolder()),
    files: {
      locate: (path) => Promise.resolve(path),
      read: (_question, { signal }: SourceContext) =>
        new Promise((_resolve, reject) => {
          if (signal.aborted) reject(signal.reason);
          signal.addEventListener("abort", () => reject(signal.reason), { once: true });
        }),
    },
  };
}

test("openRepository() gives up on metadata that does not arrive in time", async () => {
  const { open } = await world();
  // A connection would keep the process up; a deadline alone does not.
  const connection = setInterval(() => {}, 1000);
  const failure = await open({ repository: silentSource(), deadlineMs: 1 }).catch((error) => error);
  clearInterval(connection);
  assert.equal(failure.name, "TimeoutError");
});

test("openRepository() asks for everything once, then only whether it still holds", async () => {
  const { open, asked } = await world();
  assert.equal((await open()).cached, false);
  assert.deepEqual(asked.splice(0), [
    "metadata/timestamp.json",
    "metadata/2.root.json",
    "metadata/1.snapshot.json",
    "metadata/1.targets.json",
  ]);
  assert.equal((await open()).cached, true);
  assert.deepEqual(asked, ["metadata/timestamp.json"]);
});

test("openRepository() asks for the timestamp again when a newer root came after it", async () => {
  const { open, asked, folder } = await world();
  await open();
  await folder.signRoot();
  await folder.publish();
  asked.splice(0);
  assert.equal((await open()).metadata.version("root"), 2);
  assert.deepEqual(asked.filter((path) => path.includes("timestamp")).length, 2);
});

test("openRepository() asks for everything when what it kept does not verify", async () => {
  for (const name of ["timestamp", "snapshot", "targets"]) {
    const { open, kept } = await world();
    await open();
    kept.files.set(name, new TextEncoder().encode("nonsense"));
    assert.equal((await open()).metadata.version("timestamp"), 1, name);
  }
});

test("openRepository() refuses to judge freshness by a clock that went back", async () => {
  const { open } = await world();
  await open();
  const hour = 60 * 60 * 1000;
  await open({ now: () => NOW - 23 * hour });
  await assert.rejects(
    open({ now: () => NOW - 48 * hour }),
    refusal("metadata-expired", "2029-12-30", "2029-12-31T01"),
  );
});

test("openRepository() refuses a file whose name leaves the folder", async () => {
  const { open, folder } = await world();
  folder.meddle.targets = (signed) => {
    const delegations = signed.delegations as { roles: unknown[] };
    delegations.roles.push({
      name: "../../other",
      keyids: folder.signers.project.keys.map(({ id }) => id),
      threshold: 1,
      terminating: false,
      paths: ["*"],
    });
  };
  folder.meddle.snapshot = (signed) => {
    (signed.meta as Record<string, unknown>)["../../other.json"] = { version: 1 };
  };
  await folder.signTargets();
  await folder.publish();
  const { metadata } = await open();
  const failure = await rejection(metadata.target("anything"));
  assert.match(failure.message, /role named "1\.\.\.\/\.\.\/other\.json"/);
});
