import assert from "node:assert/strict";
import { test } from "node:test";
import type { ErrorCode } from "../../lib/errors.ts";
import { isTransmuteError } from "../../lib/errors.ts";
import type { KeptMetadata, RepositoryOptions } from "../../lib/trust/tuf.ts";
import { SignedRepository } from "../../lib/trust/tuf.ts";
import { refusal } from "../fixtures/refusal.ts";
import { newKey, SignedFolder, signedTime } from "../fixtures/signed_folder.ts";
import { DAY, NOW } from "../fixtures/world.ts";

type Kept = KeptMetadata & { files: Map<string, Uint8Array> };

function keptMetadata(files = new Map<string, Uint8Array>()): Kept {
  return {
    files,
    read: (name) => files.get(name) ?? null,
    write: (name, bytes) => void files.set(name, bytes),
  };
}

function open(
  folder: SignedFolder,
  options: Partial<RepositoryOptions> = {},
): SignedRepository & { asked: string[] } {
  const asked: string[] = [];
  const repository = new SignedRepository({
    source: "memory:repository",
    root: folder.files.get("metadata/1.root.json")!,
    kept: keptMetadata(),
    bring(file) {
      asked.push(file);
      return Promise.resolve(folder.files.get(`metadata/${file}`) ?? null);
    },
    now: NOW,
    ...options,
  });
  return Object.assign(repository, { asked });
}

async function codeOf(work: Promise<unknown>): Promise<ErrorCode | "ok"> {
  try {
    await work;
    return "ok";
  } catch (error) {
    assert.ok(isTransmuteError(error), String(error));
    return error.code;
  }
}

async function helloFolder(): Promise<SignedFolder> {
  const folder = await SignedFolder.create();
  await folder.add({ name: "hello", version: "1.0.0" });
  await folder.add({ name: "@scope/name", version: "1.0.0" });
  await folder.publish();
  return folder;
}

test("project() gives what the project's role lists, and nothing for other projects", async () => {
  const repository = open(await helloFolder());
  assert.deepEqual([...(await repository.project("js", "hello")).keys()], [
    "js/hello/hello-1.0.0.tgz",
  ]);
  assert.deepEqual([...(await repository.project("js", "@scope/name")).keys()], [
    "js/@scope/name/scope-name-1.0.0.tgz",
  ]);
  assert.equal((await repository.project("js", "nothing")).size, 0);
});

test("project() reads the roles of the projects it is asked for and no others", async () => {
  const repository = open(await helloFolder());
  await repository.project("js", "hello");
  assert.deepEqual(repository.asked, [
    "2.root.json",
    "timestamp.json",
    "2.snapshot.json",
    "2.targets.json",
    "1.js-hello.json",
  ]);
});

test("project() refuses paths that are not delegated to the project's own role", async () => {
  const folder = await helloFolder();
  folder.meddle.targets = (signed) => {
    const { roles } = signed.delegations as { roles: { name: string; paths: string[] }[] };
    roles.find(({ name }) => name === "js-hello")!.paths = ["js/*/*"];
  };
  await folder.signTargets();
  await folder.publish();
  await assert.rejects(
    open(folder).project("js", "hello"),
    refusal("listing-invalid", "js/hello/* not delegated to js-hello"),
  );
});

test("target() follows the workflow's own search", async () => {
  const repository = open(await helloFolder());
  const target = await repository.target("js/hello/hello-1.0.0.tgz");
  assert.equal((target?.custom as { version: string }).version, "1.0.0");
  assert.equal(await repository.target("js/hello/hello-9.0.0.tgz"), null);
});

test("SignedRepository starts from the application's root whatever was kept", async () => {
  const folder = await helloFolder();
  const stranger = await helloFolder();
  const kept = keptMetadata();
  await open(stranger, { kept }).refresh();
  // Everything that was kept is of another repository; it neither helps nor harms.
  kept.write("1.root", stranger.files.get("metadata/1.root.json")!);
  const repository = open(folder, { kept });
  await repository.project("js", "hello");
  assert.equal(repository.version("root"), 1);
});

test("SignedRepository asks again for kept roots that do not verify", async () => {
  const folder = await helloFolder();
  await folder.signRoot();
  await folder.publish();
  const stranger = await helloFolder();
  await stranger.signRoot();
  const kept = keptMetadata();
  kept.write("2.root", stranger.files.get("metadata/2.root.json")!);
  const repository = open(folder, { kept });
  await repository.refresh();
  assert.equal(repository.version("root"), 2);
  assert.deepEqual(kept.files.get("2.root"), folder.files.get("metadata/2.root.json"));
});

test("SignedRepository follows rotated keys, and uses the roots it kept", async () => {
  const folder = await helloFolder();
  for (let rotation = 0; rotation < 3; rotation++) {
    const before = folder.signers.root.keys;
    folder.signers.root = { keys: [await newKey()], threshold: 1 };
    folder.signers.timestamp = { keys: [await newKey()], threshold: 1 };
    await folder.signRoot([...before, ...folder.signers.root.keys]);
  }
  await folder.publish();
  const kept = keptMetadata();
  const first = open(folder, { kept });
  await first.refresh();
  assert.equal(first.version("root"), 4);
  const second = open(folder, { kept });
  await second.refresh();
  assert.deepEqual(second.asked.filter((file) => file.includes("root")), ["5.root.json"]);
});

test("SignedRepository remembers what it verified before it failed", async () => {
  const folder = await helloFolder();
  const kept = keptMetadata();
  await open(folder, { kept }).refresh();
  const old = folder.saved();
  await folder.publish();
  folder.files.delete(`metadata/${folder.versions.get("snapshot")}.snapshot.json`);
  await assert.rejects(open(folder, { kept }).refresh(), refusal("listing-invalid", "snapshot"));
  folder.restore(old);
  await assert.rejects(open(folder, { kept }).refresh(), refusal("downgrade-refused"));
});

test("SignedRepository refuses an application's root that is none", async () => {
  const folder = await helloFolder();
  const root = (text: string) => ({ root: new TextEncoder().encode(text) });
  assert.throws(() => open(folder, root("{}")), refusal("option-invalid", "not one"));
  assert.throws(() => open(folder, root("nonsense")), refusal("option-invalid", "no JSON"));
  const { signed } = folder.root;
  const unsigned = JSON.stringify({ signatures: [], signed });
  assert.throws(() => open(folder, root(unsigned)), refusal("option-invalid", "0/1 keys"));
});

test("SignedRepository takes keys of the one kind that every runtime verifies alike", async () => {
  const folder = await helloFolder();
  const other = { keytype: "rsa", scheme: "rsassa-pss-sha256", keyval: { public: "…" } };
  const { id } = folder.signers.targets.keys[0];
  folder.signers.targets.keys.push({
    id: `f${id.slice(1)}`,
    public: other,
    sign: () => Promise.resolve("00"),
  });
  await folder.signRoot();
  await assert.rejects(open(folder).refresh(), refusal("listing-invalid", '"rsa"', "ed25519"));
});

/** A repository of so many projects, of which only the delegations are there. */
async function hugeFolder(projects: number): Promise<SignedFolder> {
  const folder = await helloFolder();
  for (let index = 0; index < projects; index++) {
    folder.projects.set(`p${index}`, {});
    folder.versions.set(`js-p${index}`, 1);
    folder.files.set(`metadata/1.js-p${index}.json`, new Uint8Array(1));
  }
  await folder.signTargets();
  await folder.publish();
  return folder;
}

test("project() takes no more time for each role when there are many", async () => {
  const timeFor = async (projects: number) => {
    const folder = await hugeFolder(projects);
    const startedAt = performance.now();
    await open(folder).project("js", "hello");
    return performance.now() - startedAt;
  };
  await timeFor(100);
  const [few, many] = [await timeFor(500), await timeFor(4000)];
  // Eight times as many: 8 when reading is linear, 64 as the library alone does it.
  assert.ok(many / few < 30, `${many / few} times`);
});

test("project() reads a thousand targets and refuses more", async () => {
  const folder = await helloFolder();
  const [target] = Object.values(folder.projects.get("hello")!);
  const list = (count: number) =>
    folder.change("hello", (targets) => {
      for (let index = 1; index < count; index++) {
        targets[`js/hello/hello-1.0.${index}.tgz`] = target;
      }
    });
  list(1000);
  await folder.publish();
  assert.equal((await open(folder).project("js", "hello")).size, 1000);
  list(1001);
  await folder.publish();
  await assert.rejects(
    open(folder).project("js", "hello"),
    refusal("listing-invalid", "1001 targets"),
  );
});

/** One kind of evidence: what becomes of the metadata of one role before it is published. */
interface Evidence {
  name: string;
  spoil(folder: SignedFolder, role: "targets" | "snapshot" | "timestamp" | "project"): unknown;
  verdicts: Record<"targets" | "snapshot" | "timestamp" | "project", ErrorCode | "ok">;
}

const all = (code: ErrorCode | "ok") => ({
  targets: code,
  snapshot: code,
  timestamp: code,
  project: code,
});
const nameOf = (role: string) => role === "project" ? "js-hello" : role;

/** Changes the bytes of a role after it was signed, and lets all that points to it follow. */
async function rewrite(folder: SignedFolder, role: string, change: (text: string) => string) {
  const name = nameOf(role);
  const path = role === "timestamp"
    ? "metadata/timestamp.json"
    : `metadata/${folder.versions.get(name)}.${name}.json`;
  folder.files.set(path, new TextEncoder().encode(change(folder.text(path))));
  if (role !== "timestamp" && role !== "snapshot") await folder.signSnapshot();
  if (role !== "timestamp") await folder.signTimestamp();
}

const EVIDENCE: Evidence[] = [
  { name: "valid", spoil: () => {}, verdicts: all("ok") },
  {
    name: "absent",
    spoil(folder, role) {
      const name = nameOf(role);
      folder.files.delete(
        role === "timestamp"
          ? "metadata/timestamp.json"
          : `metadata/${folder.versions.get(name)}.${name}.json`,
      );
    },
    verdicts: all("listing-invalid"),
  },
  {
    name: "malformed",
    spoil: (folder, role) => rewrite(folder, role, (text) => text.slice(0, -1)),
    verdicts: all("listing-invalid"),
  },
  {
    name: "without its signatures",
    spoil: (folder, role) =>
      rewrite(folder, role, (text) => text.replace(/"signatures":\[.*?\]/, '"signatures":[]')),
    verdicts: all("signature-invalid"),
  },
  {
    name: "with a signature that is not its own",
    spoil: (folder, role) =>
      rewrite(folder, role, (text) => text.replace(/"sig":"[0-9a-f]{8}/, '"sig":"00000000')),
    verdicts: all("signature-invalid"),
  },
  {
    name: "changed after it was signed",
    spoil: (folder, role) =>
      rewrite(folder, role, (text) => text.replace(/"expires":"20/, '"expires":"21')),
    verdicts: all("signature-invalid"),
  },
  {
    name: "signed by a key of nobody",
    async spoil(folder, role) {
      const key = await newKey();
      folder.signers[role] = { keys: [key], threshold: 1 };
      if (role === "project") await folder.signProject("hello");
      if (role === "targets") await folder.signTargets();
      if (role !== "timestamp") await folder.signSnapshot();
      await folder.signTimestamp();
    },
    verdicts: all("signature-invalid"),
  },
  {
    name: "signed by fewer than the threshold",
    async spoil(folder, role) {
      const [key] = folder.signers[role].keys;
      folder.signers[role] = { keys: [key, await newKey()], threshold: 2 };
      await folder.signRoot();
      await folder.signTargets();
      await folder.signSnapshot();
      await folder.signTimestamp();
      await rewrite(folder, role, (text) => {
        const { signatures, signed } = JSON.parse(text);
        return JSON.stringify({ signatures: signatures.slice(0, 1), signed });
      });
    },
    verdicts: all("signature-invalid"),
  },
  {
    name: "expired",
    async spoil(folder, role) {
      folder.expires[role] = signedTime(NOW - DAY);
      if (role === "project") await folder.signProject("hello");
      if (role === "targets") await folder.signTargets();
      if (role !== "timestamp") await folder.signSnapshot();
      await folder.signTimestamp();
    },
    verdicts: all("metadata-expired"),
  },
  {
    name: "of a version that is not the one promised",
    async spoil(folder, role) {
      const meddled = role === "timestamp" ? null : role === "snapshot" ? "timestamp" : "snapshot";
      if (meddled === null) return void await rewrite(folder, role, (text) => `${text} `);
      folder.meddle[meddled] = (signed) => {
        const meta = signed.meta as Record<string, { version: number }>;
        const name = nameOf(role);
        const file = `metadata/${meta[`${name}.json`].version}.${name}.json`;
        const next = ++meta[`${name}.json`].version;
        folder.files.set(`metadata/${next}.${name}.json`, folder.files.get(file)!);
      };
      if (meddled === "snapshot") await folder.signSnapshot();
      await folder.signTimestamp();
    },
    verdicts: { ...all("downgrade-refused"), timestamp: "ok" },
  },
];

for (const { name, spoil, verdicts } of EVIDENCE) {
  for (const role of ["timestamp", "snapshot", "targets", "project"] as const) {
    test(`project() with a ${role} role ${name}: ${verdicts[role]}`, async () => {
      const folder = await helloFolder();
      await spoil(folder, role);
      assert.equal(await codeOf(open(folder).project("js", "hello")), verdicts[role]);
    });
  }
}
