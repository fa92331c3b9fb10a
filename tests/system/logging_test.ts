/**
 * What is logged: nothing secret, as text and as JSON; and the adapters of `docs/logging.md`, as
 * they stand there, with the real libraries.
 */

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import type { LogRecord } from "npm:@logtape/logtape@2.4.2";
import { configure, reset } from "npm:@logtape/logtape@2.4.2";
import { logs, SeverityNumber } from "npm:@opentelemetry/api-logs@0.223.1";
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  SimpleLogRecordProcessor,
} from "npm:@opentelemetry/sdk-logs@0.223.1";
import type { TransmuteEvent } from "../../mod.ts";
import { application, helloEgg } from "../fixtures/application.ts";
import { archivePath, startRegistry } from "../fixtures/npm_registry.ts";
import { outputOf, told as endTold } from "../fixtures/running_program.ts";
import { NOW, world } from "../fixtures/world.ts";

/** Where the examples find what they import. */
const PLACES: Record<string, string> = {
  "@logtape/logtape": "npm:@logtape/logtape@2.4.2",
  "@opentelemetry/api-logs": "npm:@opentelemetry/api-logs@0.223.1",
  "@transmute/transmute": pathToFileURL(resolve("mod.ts")).href,
};

/** The adapter below a heading of the document, and an update that it is told of. */
async function told(heading: string): Promise<TransmuteEvent[]> {
  const text = readFileSync("docs/logging.md", "utf8");
  const example = text.split(`## ${heading}\n`)[1].split("```ts ignore\n")[1].split("```")[0];
  using here = world();
  const file = join(here.dist, "..", "adapter.ts");
  const placed = example.replace(/from "([^"]+)"/g, (_, name) => `from "${PLACES[name]}"`);
  writeFileSync(file, placed);
  const { onEvent } = await import(pathToFileURL(file).href);
  await here.publish("1.0.0");
  const events: TransmuteEvent[] = [];
  const { transmute } = here.start({
    onEvent(event) {
      events.push(event);
      onEvent(event);
    },
  });
  await transmute.update();
  await transmute.rollback().catch(() => {});
  assert.ok(events.length >= 6);
  return events;
}

test("LogTape is told every event with its level and fields", async () => {
  const records: LogRecord[] = [];
  await configure({
    sinks: { memory: (record) => void records.push(record) },
    loggers: [
      { category: "transmute", sinks: ["memory"], lowestLevel: "debug" },
      { category: ["logtape", "meta"], sinks: [], lowestLevel: "error" },
    ],
  });
  try {
    const events = await told("LogTape");
    assert.deepEqual(
      records.map(({ level, rawMessage, properties }) => [level, rawMessage, properties]),
      events.map(({ kind, level, ...fields }) => [level, kind, fields]),
    );
  } finally {
    await reset();
  }
});

test("OpenTelemetry is told every event with its time, severity and attributes", async () => {
  const exporter = new InMemoryLogRecordExporter();
  const processors = [new SimpleLogRecordProcessor({ exporter })];
  logs.setGlobalLoggerProvider(new LoggerProvider({ processors }));
  const events = await told("OpenTelemetry");
  const records = exporter.getFinishedLogRecords();
  assert.deepEqual(
    records.map(({ eventName, severityText, attributes }) => [
      eventName,
      severityText,
      attributes,
    ]),
    events.map(({ kind, level, at: _at, ...fields }) => [`transmute.${kind}`, level, fields]),
  );
  assert.deepEqual(records[0].hrTime, [NOW / 1000, 0]);
  assert.equal(records[0].severityNumber, SeverityNumber.DEBUG);
});

/** Updates from a registry that asks for a token, fails to, goes back, and shows its history. */
const LOGGING = `
const [source, dist, home] = args;
const options = { app: "app", budgetMs: 60_000, onEvent: (event) => console.log(JSON.stringify(event)) };
const own = new transmute.Transmute({ ...options, sources: [source] });
own.require("hello");
await own.update();
await own.confirm();
const other = new transmute.Transmute({ ...options, app: "other", sources: [dist, home + "/none"] });
other.require("world");
await other.update().catch(() => {});
for await (const event of own.history()) console.log(JSON.stringify(event));
`;

for (const runtime of ["deno", "node24", "bun"] as const) {
  test(`TRANSMUTE_LOG=json writes every event as a line, and no secret or home (${runtime})`, async () => {
    const secret = `npm_${"q9".repeat(18)}`;
    using here = application();
    await using registry = await startRegistry();
    await registry.publish(helloEgg("1.0.0"));
    registry.fail(archivePath("hello", "1.0.0"), "truncate", 1);
    const home = `${here.folder}/home`;
    Deno.mkdirSync(`${home}/eggs`, { recursive: true });
    Deno.writeTextFileSync(
      `${home}/.npmrc`,
      `${registry.url.replace(/^http:/, "")}:_authToken=${secret}\n`,
    );
    await here.program("logging", LOGGING);
    // What Deno itself keeps is not to be fetched again for another home.
    const { denoDir } = JSON.parse(await outputOf(Deno.execPath(), ["info", "--json"]));
    const env = {
      ...{ HOME: home, DENO_DIR: denoDir },
      ...{ TRANSMUTE_LOG: "json", TRANSMUTE_CACHE_DIR: `${home}/store` },
    };
    const source = registry.source.replace("//", `//ada:${secret}@`);
    const args = [source, `${home}/eggs`, home];
    // Deno's own word on what it downloads is no event.
    const flags = runtime === "deno" ? { flags: ["-A", "--quiet"] } : {};
    const end = await here.run(runtime, "logging", args, { env, ...flags });
    assert.equal(end.code, 0, endTold(end));
    const printed = end.stderr.trim().split("\n").map((line) => JSON.parse(line));
    assert.ok(printed.length >= 8, end.stderr);
    assert.ok(printed.every(({ kind, at, level }) => kind && at && level));
    const kinds = new Set(printed.map(({ kind }) => kind));
    for (const kind of ["check-started", "activated", "confirmed", "source-unreachable"]) {
      assert.ok(kinds.has(kind), `${kind} of ${[...kinds]}`);
    }
    const files = ["app", "other"]
      .map((app) => Deno.readTextFileSync(`${home}/store/apps-v1/${app}/history.jsonl`));
    for (const text of [end.stdout, end.stderr, ...files]) {
      assert.ok(!text.includes(secret), text);
      assert.ok(!text.includes(home), text);
    }
    assert.match(end.stdout, /"source":"~\/none"/);
  });
}
