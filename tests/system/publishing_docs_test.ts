/** `docs/publishing.md`, block by block: against a folder, and against a real S3 service. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { startSeaweed } from "../../scripts/s3_servers.ts";
import { realBucket } from "../fixtures/real_bucket.ts";
import { temporaryFolder } from "../fixtures/temporary_folder.ts";
import { masked, readTranscript, SHOWN_FOLDER, transcriptShell } from "../fixtures/transcript.ts";

const PATH = "docs/publishing.md";
const BUCKET = "s3://eggs/stable";
const BLOCK = /^<!-- run: (.+) -->$|^```(\w+)(?: ignore)?(?: (\S+))?\n([^]+?)^```$/gm;

/**
 * Runs every block of the page in a new folder.
 *
 * @param env variables beside those of transcripts
 * @param written gives what the page has as it is in this run
 */
async function runPage(
  env: Record<string, string>,
  written: (text: string) => string = (text) => text,
): Promise<void> {
  const text = Deno.readTextFileSync(PATH);
  using folder = temporaryFolder();
  const shell = await transcriptShell(folder.path, "deno", `${Deno.cwd()}/lib/cli/main.ts`);
  Object.assign(shell.env, { TRANSMUTE_PASSPHRASE: "correct horse battery staple" }, env);
  const kinds = new Map<string, number>();
  for (const { index, 0: whole, 1: unseen, 2: kind, 3: name, 4: content } of text.matchAll(BLOCK)) {
    const line = text.slice(0, index).split("\n").length;
    kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
    if (unseen !== undefined) assert.equal(await shell.run(unseen), "", `${PATH}:${line}`);
    else if (kind === "console") {
      for (const { line: at, command, result } of readTranscript(content, line + 1)) {
        const found = await shell.run(written(command));
        assert.equal(masked(found), masked(written(result)), `${PATH}:${at}: ${command}`);
      }
    } else if (kind === "ts") {
      Deno.writeTextFileSync(`${folder.path}/${name}`, written(content));
    } else if (kind === "yaml") {
      for (const [, command] of content.matchAll(/- run: (.+)$/gm)) {
        const keys = 'ONLINE_KEY="$(cat keys/online.pem)" TARGETS_KEY="$(cat keys/targets.pem)"';
        const inCi = `export ${keys}; ${command.replace("npx transmute", "transmute")}`;
        const found = await shell.run(written(inCi));
        assert.doesNotMatch(found, /exit code/, `${PATH}:${line}: ${command}`);
      }
    } else assert.fail(`${PATH}:${line}: a block that nobody runs: ${whole}`);
  }
  assert.ok(kinds.get("console")! > 8 && kinds.get("yaml") === 1 && kinds.get("ts") === 1);
  const fences = text.match(/^```\w/gm)!.length;
  assert.equal(fences, [...kinds].reduce((sum, [kind, count]) => sum + (kind ? count : 0), 0));
}

test("docs/publishing.md is what happens in a folder", async () => {
  await runPage(
    {},
    (text) =>
      text.replaceAll(`${BUCKET}/`, `${SHOWN_FOLDER}/repository`).replaceAll(BUCKET, "repository"),
  );
});

const server = await startSeaweed().catch((error: Error) => error.message);
const skip = typeof server === "string" ? server : false;
if (skip !== false) console.log(`# skip docs/publishing.md in a bucket: ${skip}`);

test("docs/publishing.md is what happens in a bucket (SeaweedFS)", { skip }, async () => {
  assert.ok(typeof server !== "string");
  try {
    await realBucket(server, "eggs");
    await runPage({
      AWS_ENDPOINT_URL: server.url,
      AWS_REGION: server.region,
      AWS_ACCESS_KEY_ID: server.keys.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.keys.secretAccessKey,
    });
  } finally {
    await server[Symbol.asyncDispose]();
  }
});
