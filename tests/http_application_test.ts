/** An application whose eggs lie behind a web server. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { TransmuteEvent } from "../lib/model/event.ts";
import type { SourceLike } from "../lib/options.ts";
import { httpSource } from "../lib/sources/open.ts";
import { Transmute } from "../lib/transmute.ts";
import { temporaryFolder } from "./fixtures/temporary_folder.ts";
import type { WebFolder, WebFolderOptions } from "./fixtures/web_folder.ts";
import { plainPage, sha256, startWebFolder } from "./fixtures/web_folder.ts";

interface Hello {
  version: string;
}

/** A folder behind a web server, and starts of one application on it. */
async function withApplication(
  options: WebFolderOptions,
  run: (here: {
    web: WebFolder;
    store: string;
    publish(version: string): Promise<Uint8Array>;
    start(source?: SourceLike): { transmute: Transmute; events: TransmuteEvent[] };
  }) => Promise<void>,
): Promise<void> {
  const web = await startWebFolder(options);
  const folder = temporaryFolder();
  const store = join(folder.path, "store");
  try {
    await run({
      web,
      store,
      publish: (version) =>
        web.publish({ name: "hello", version, type: "module", exports: "./index.js" }, {
          "index.js": `export const version = "${version}";`,
        }),
      start(source = web.url) {
        const events: TransmuteEvent[] = [];
        const transmute = new Transmute({
          app: "app",
          cacheDir: store,
          sources: [source],
          log: "off",
          onEvent: (event) => void events.push(event),
        });
        transmute.require("hello");
        return { transmute, events };
      },
    });
  } finally {
    folder[Symbol.dispose]();
    await web.close();
  }
}

const told = (events: TransmuteEvent[], kind: TransmuteEvent["kind"]) =>
  events.filter((event) => event.kind === kind);

test("update() brings an egg from a web server's page, and tells each step", async () => {
  await withApplication({ page: plainPage }, async ({ web, publish, start }) => {
    const archive = await publish("1.0.0");
    web.put("hello-1.0.0.tgz.sha256", sha256(archive));
    const { transmute, events } = start();
    assert.equal((await transmute.update()).outcome, "updated");
    assert.equal((await transmute.import<Hello>("hello")).version, "1.0.0");
    assert.deepEqual(
      events.map(({ kind }) => kind),
      ["check-started", "source-answered", "fetch-started", "fetched", "stored", "activated"],
    );
    const [fetched] = told(events, "fetched");
    assert.equal("sizeBytes" in fetched && fetched.sizeBytes, archive.length);
  });
});

test("update() refuses what the digest beside an archive does not fit, and takes the next best", async () => {
  await withApplication({ page: plainPage }, async ({ web, publish, start }) => {
    await publish("1.0.0");
    await publish("2.0.0");
    web.put("hello-2.0.0.tgz.sha256", "0".repeat(64));
    const { transmute } = start();
    const { refused } = await transmute.update();
    assert.deepEqual(refused.map(({ version, code }) => [version, code]), [
      ["2.0.0", "digest-mismatch"],
    ]);
    assert.equal((await transmute.import<Hello>("hello")).version, "1.0.0");
    // It is not fetched again, until the file beside it is another.
    const before = web.count("/hello-2.0.0.tgz");
    await start().transmute.update({ force: true });
    assert.equal(web.count("/hello-2.0.0.tgz"), before);
    const { body } = web.files.get("hello-2.0.0.tgz")!;
    web.put("hello-2.0.0.tgz.sha256", sha256(body));
    assert.equal((await start().transmute.update({ force: true })).outcome, "updated");
  });
});

test("update() takes an egg of an index whose bytes were altered on the way, once they are right", async () => {
  await withApplication({}, async ({ web, publish, start }) => {
    await publish("1.0.0");
    web.index();
    await start().transmute.update();
    await publish("2.0.0");
    web.index();
    web.fail("/hello-2.0.0.tgz", "corrupt", 1);
    for (const outcome of ["unchanged", "updated"]) {
      const report = await start().transmute.update({ force: true });
      assert.equal(report.outcome, outcome);
    }
  });
});

test("update() asks for the index alone when nothing has changed", async () => {
  await withApplication({}, async ({ web, publish, start }) => {
    await publish("1.0.0");
    web.index();
    await start().transmute.update();
    web.requests.length = 0;
    const { transmute, events } = start();
    const report = await transmute.update({ force: true });
    assert.equal(report.outcome, "unchanged");
    assert.deepEqual(web.requests.map(({ path, status }) => [path, status]), [[
      "/index.json",
      304,
    ]]);
    const [answered] = told(events, "source-answered");
    assert.equal("cached" in answered && answered.cached, true);
  });
});

test("update() runs on what it has behind a network that wants its users to sign in", async () => {
  await withApplication({}, async ({ web, publish, start }) => {
    await publish("1.0.0");
    web.index();
    await start().transmute.update();
    const portal = "<!doctype html><title>Guests</title><form><input type=password></form>";
    web.fail("/index.json", { status: 200, body: portal });
    const { transmute } = start();
    const { outcome, problems } = await transmute.update({ force: true });
    assert.equal(outcome, "unchanged");
    assert.deepEqual(problems.map(({ code }) => code), ["listing-invalid"]);
    assert.equal((await transmute.import<Hello>("hello")).version, "1.0.0");
  });
});

/** The texts of all files below a folder. */
function* textsBelow(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* textsBelow(path);
    else yield readFileSync(path, "latin1");
  }
}

test("update() leaves no credential in events, history or store", async () => {
  const secret = "a-very-secret-token";
  const authorization = `Bearer ${secret}`;
  await withApplication({ authorization, page: plainPage }, async (here) => {
    const { web, publish, start, store } = here;
    await publish("1.0.0");
    const source = httpSource(web.url, { authorization });
    const first = start(source);
    assert.equal((await first.transmute.update()).outcome, "updated");
    web.fail("/", { status: 403 });
    const second = start(httpSource(web.url, { authorization }));
    const { problems } = await second.transmute.update({ force: true });
    assert.deepEqual(problems.map(({ code }) => code), ["source-denied"]);
    const shown = JSON.stringify([
      first.events,
      second.events,
      problems.map((one) => ({ ...one })),
    ]);
    assert.ok(!shown.includes(secret));
    for (const text of textsBelow(store)) assert.ok(!text.includes(secret));
    for (const { headers } of web.requests) assert.equal(headers.authorization, authorization);
  });
});
