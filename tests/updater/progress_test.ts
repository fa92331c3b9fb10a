import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventLevel } from "../../lib/model/event.ts";
import type { ResolvedOptions } from "../../lib/options.ts";
import type { Progress } from "../../lib/updater/progress.ts";
import { sizeText, startProgress } from "../../lib/updater/progress.ts";

const ERASE = "\r\x1b[K";

interface Shown extends Disposable {
  progress: Progress | null;
  /** What was written, since this was last asked. */
  written(): string;
  told: string[];
  pass(ms: number): void;
}

/** A terminal, a clock and a `fetch` that are values. */
function show(
  { columns = 80, log = "error", body }: {
    columns?: number | null;
    log?: EventLevel | "off";
    body?: ReadableStream<Uint8Array>;
  } = {},
): Shown {
  let written = "";
  let now = 0;
  const told: string[] = [];
  const options = {
    log,
    fetch: () => Promise.resolve(new Response(body ?? null, { status: body ? 200 : 204 })),
  } as unknown as ResolvedOptions;
  const progress = startProgress(
    { options, tell: (_level, kind) => void told.push(kind) },
    { columns, write: (text) => void (written += text), clock: () => now },
  );
  return {
    progress,
    told,
    written() {
      const text = written;
      written = "";
      return text;
    },
    pass: (ms) => void (now += ms),
    [Symbol.dispose]: () => progress?.end(),
  };
}

function drawn({ progress, written }: Shown): string {
  written();
  progress!.draw();
  const text = written();
  assert.ok(text.startsWith(`${ERASE}transmute: `), JSON.stringify(text));
  return text.slice(`${ERASE}transmute: `.length);
}

for (
  const [why, given] of [
    ["without a terminal", { columns: null }],
    ["when nothing is to be printed", { log: "off" }],
    ["when events are printed", { log: "info" }],
  ] as const
) {
  test(`startProgress() shows nothing ${why}`, () => {
    using shown = show(given);
    assert.equal(shown.progress, null);
  });
}

test("startProgress() shows who is asked, what is fetched, how much, and how fast", async () => {
  const chunks = [300_000, 900_000, 1_000_000].map((size) => new Uint8Array(size));
  using shown = show({ body: ReadableStream.from(chunks) as ReadableStream<Uint8Array> });
  const { progress, pass } = shown;
  const { tell, options } = progress!.request;
  assert.equal(drawn(shown), "asking for what is new");
  tell("debug", "check-started", { source: "npm+https://eggs.example/", project: "hello" });
  assert.equal(drawn(shown), "asking npm+https://eggs.example/");
  tell("info", "fetch-started", { source: "npm:", egg: "hello@1.0.0", sizeBytes: 2_200_000 });
  assert.equal(drawn(shown), "fetching hello@1.0.0");

  const reader = (await options.fetch("https://eggs.example/")).body!.getReader();
  await reader.read();
  assert.match(drawn(shown), /^fetching hello@1\.0\.0, (?:300\.0 kB|\d\.\d MB) of 2\.2 MB$/);
  pass(2000);
  while (!(await reader.read()).done);
  assert.equal(drawn(shown), "fetching hello@1.0.0, 2.2 MB of 2.2 MB, 1.1 MB/s");

  tell("info", "fetch-started", { source: "npm:", egg: "world@2.0.0" });
  assert.equal(drawn(shown), "fetching hello@1.0.0 (1 more), 2.2 MB, 1.1 MB/s");
  tell("info", "fetched", { source: "npm:", egg: "hello@1.0.0", sizeBytes: 1, digest: "" });
  assert.equal(drawn(shown), "fetching world@2.0.0 (1 done), 2.2 MB, 1.1 MB/s");
  tell("info", "fetched", { source: "npm:", egg: "world@2.0.0", sizeBytes: 1, digest: "" });
  assert.equal(drawn(shown), "2 eggs fetched, 2.2 MB, 1.1 MB/s");
  assert.deepEqual(shown.told, [
    ...["check-started", "fetch-started", "fetch-started", "fetched", "fetched"],
  ]);
});

test("startProgress() keeps to one line, and to its characters", () => {
  using shown = show({ columns: 40 });
  const { tell } = shown.progress!.request;
  tell("info", "fetch-started", { source: "npm:", egg: `${"long".repeat(30)}@1.0.0\x1b[31m\n` });
  shown.written();
  shown.progress!.draw();
  const line = shown.written().slice(ERASE.length);
  assert.equal(line.length, 39);
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(line, /[\x00-\x1f]/);
});

test("startProgress() erases its line at the end, and for what is printed", () => {
  using shown = show();
  const { tell } = shown.progress!.request;
  shown.progress!.draw();
  shown.written();
  tell("error", "source-unreachable", { source: "a", code: "permission-missing", message: "" });
  assert.equal(shown.written(), ERASE);
  tell("error", "source-unreachable", { source: "a", code: "permission-missing", message: "" });
  assert.equal(shown.written(), "", "it was erased already");
  shown.progress!.draw();
  shown.written();
  shown.progress!.end();
  assert.equal(shown.written(), ERASE);
  shown.progress!.end();
  assert.equal(shown.written(), "");
});

test("startProgress() leaves answers without a body as they are", async () => {
  using shown = show();
  const response = await shown.progress!.request.options.fetch("https://eggs.example/");
  assert.deepEqual([response.status, response.body], [204, null]);
});

const SIZES: [bytes: number, text: string][] = [
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [999_949, "999.9 kB"],
  [1_500_000, "1.5 MB"],
  [2_340_000_000, "2.3 GB"],
];

for (const [bytes, text] of SIZES) {
  test(`sizeText() writes ${bytes} as ${text}`, () => assert.equal(sizeText(bytes), text));
}
