import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import type { HttpAnswer, HttpQuestion } from "../../lib/sources/http_question.ts";
import type { SourceContext } from "../../lib/sources/source.ts";
import { httpGet, PROGRESS_BYTES } from "../../lib/sources/http_request.ts";
import type { Fault, FaultyServer } from "../fixtures/faulty_server.ts";
import { etagOf } from "../fixtures/faulty_server.ts";
import { memoryPartials } from "../fixtures/memory_partials.ts";
import { contextOf, impatientTimer } from "../fixtures/npm_questions.ts";
import type { WebFolder } from "../fixtures/web_folder.ts";
import { startWebFolder } from "../fixtures/web_folder.ts";

/** Bytes of which no two parts are alike. */
function noise(length: number, seed = ""): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index * 32 < length; index++) {
    const block = createHash("sha256").update(`${seed}${index}`).digest();
    bytes.set(block.subarray(0, Math.min(32, length - index * 32)), index * 32);
  }
  return bytes;
}

const BODY = noise(100_000);
const PATH = "/a.tgz";

function question(server: FaultyServer, changes: Partial<HttpQuestion> = {}): HttpQuestion {
  const url = new URL(`${server.url}a.tgz`);
  return {
    action: "fetch a.tgz",
    source: "test",
    url,
    headers: { "accept-encoding": "identity" },
    configured: [url],
    maxBytes: 1_000_000,
    tooLarge: "size-mismatch",
    resume: { key: url.href, condition: "if-range" },
    ...changes,
  };
}

async function withFolder(run: (folder: WebFolder) => Promise<void>): Promise<void> {
  const folder = await startWebFolder();
  try {
    folder.put("a.tgz", BODY);
    await run(folder);
  } finally {
    await folder.close();
  }
}

function get(
  folder: WebFolder,
  changes: Partial<HttpQuestion> = {},
  context: Partial<SourceContext> = {},
): Promise<HttpAnswer> {
  const whole = contextOf({ fetch: folder.fetch, ...context });
  return httpGet(question(folder, changes), whole, impatientTimer());
}

const ranges = (folder: WebFolder) => folder.requests.map(({ headers }) => headers.range);
const sameBytes = (found: Uint8Array, wanted: Uint8Array) =>
  assert.ok(found.length === wanted.length && found.every((byte, at) => byte === wanted[at]));

test("httpGet() goes on where a body broke off, held to its ETag", async () => {
  await withFolder(async (folder) => {
    folder.fail(PATH, { cutAfter: 40_000 }, 1);
    folder.fail(PATH, { cutAfter: 20_000 }, 1);
    const { body, resumed, status } = await get(folder);
    sameBytes(body, BODY);
    assert.equal(resumed, true);
    assert.equal(status, 200);
    assert.deepEqual(ranges(folder), [undefined, "bytes=40000-", "bytes=60000-"]);
    assert.equal(folder.requests[1].headers["if-range"], etagOf(BODY));
    assert.deepEqual(folder.requests.map((request) => request.status), [200, 206, 206]);
  });
});

test("httpGet() asks for the whole again where the question does not allow to go on", async () => {
  await withFolder(async (folder) => {
    folder.fail(PATH, "truncate", 1);
    const { resume: _, ...plain } = question(folder);
    const { body, resumed } = await httpGet(plain, contextOf(), impatientTimer());
    sameBytes(body, BODY);
    assert.equal(resumed, false);
    assert.deepEqual(ranges(folder), [undefined, undefined]);
  });
});

test("httpGet() takes what is no continuation for none, and begins anew", async () => {
  const wrong: [what: string, fault: Fault][] = [
    ["the whole in place of the rest", "no-ranges"],
    ["another start", { headers: { "content-range": "bytes 39999-99999/100000" } }],
    ["a later start", { headers: { "content-range": "bytes 40001-99999/100000" } }],
    ["the beginning", { headers: { "content-range": "bytes 0-59999/100000" } }],
    ["an end beyond the size", { headers: { "content-range": "bytes 40000-100000/100000" } }],
    ["an end before the start", { headers: { "content-range": "bytes 40000-39999/100000" } }],
    ["another size", { headers: { "content-range": "bytes 40000-99999/100001" } }],
    ["another unit", { headers: { "content-range": "items 40000-99999/100000" } }],
    ["no range", { headers: { "content-range": null } }],
    ["several parts", {
      headers: { "content-range": null, "content-type": "multipart/byteranges; boundary=x" },
    }],
    ["another ETag", { headers: { etag: '"other"' } }],
    ["an encoding", { headers: { "content-encoding": "br" } }],
    ["416", { status: 416 }],
    ["412", { status: 412 }],
  ];
  await withFolder(async (folder) => {
    for (const [what, fault] of wrong) {
      folder.requests.length = 0;
      folder.fail(PATH, { cutAfter: 40_000 }, 1);
      folder.fail(PATH, fault, 1);
      const { body, resumed } = await get(folder);
      sameBytes(body, BODY);
      assert.equal(resumed, false, what);
      assert.deepEqual(
        ranges(folder),
        fault === "no-ranges"
          ? [undefined, "bytes=40000-"]
          : [undefined, "bytes=40000-", undefined],
        what,
      );
    }
  });
});

test("httpGet() begins anew when the file changed since", async () => {
  await withFolder(async (folder) => {
    folder.fail(PATH, { cutAfter: 40_000 }, 1);
    const changed = noise(90_000, "other");
    const context: Partial<SourceContext> = {
      async fetch(input, init) {
        const response = await folder.fetch(input, init);
        folder.put("a.tgz", changed);
        return response;
      },
    };
    const { body, resumed } = await get(folder, {}, context);
    sameBytes(body, changed);
    assert.equal(resumed, false);
    assert.deepEqual(folder.requests.map((request) => request.status), [200, 200]);
  });
});

test("httpGet() holds the rest to an ETag by If-Match where that is the condition", async () => {
  await withFolder(async (folder) => {
    folder.fail(PATH, { cutAfter: 40_000 }, 1);
    const { resumed } = await get(folder, { resume: { key: "a", condition: "if-match" } });
    assert.equal(resumed, true);
    assert.equal(folder.requests[1].headers["if-match"], etagOf(BODY));
    assert.equal(folder.requests[1].headers["if-range"], undefined);
  });
});

test("httpGet() goes on only with a validator that changes whenever the file does", async () => {
  const date = "Tue, 01 Jan 2030 00:02:00 GMT";
  const minuteBefore = "Tue, 01 Jan 2030 00:01:00 GMT";
  const table: [headers: Record<string, string | null>, condition: string | undefined][] = [
    [{ etag: 'W/"weak"' }, undefined],
    [{ etag: null }, undefined],
    [{ etag: null, date, "last-modified": minuteBefore }, minuteBefore],
    // It may have changed twice within this second.
    [{ etag: null, date, "last-modified": date }, undefined],
    [{ etag: 'W/"weak"', date, "last-modified": minuteBefore }, undefined],
    [{ "content-encoding": "x-unknown" }, undefined],
  ];
  await withFolder(async (folder) => {
    for (const [headers, condition] of table) {
      folder.requests.length = 0;
      folder.fail(PATH, { cutAfter: 40_000, headers }, 1);
      const { body } = await get(folder);
      sameBytes(body, BODY);
      assert.equal(folder.count(), 2);
      assert.equal(folder.requests[1].headers["if-range"], condition, JSON.stringify(headers));
    }
  });
});

test("httpGet() does not count a try that brought much of the body", async () => {
  const large = noise(PROGRESS_BYTES * 6, "large");
  await withFolder(async (folder) => {
    folder.put("a.tgz", large);
    folder.fail(PATH, { cutAfter: PROGRESS_BYTES }, 5);
    const { body } = await get(folder, { maxBytes: large.length });
    sameBytes(body, large);
    assert.equal(folder.count(), 6);
    folder.requests.length = 0;
    folder.fail(PATH, { cutAfter: 1000 });
    await assert.rejects(
      get(folder, { maxBytes: large.length }),
      (error) => isTransmuteError(error, "source-unreachable"),
    );
    assert.equal(folder.count(), 3);
  });
});

test("httpGet() keeps what came, and the next request goes on from there", async () => {
  await withFolder(async (folder) => {
    const partials = memoryPartials();
    folder.fail(PATH, { cutAfter: 30_000 }, 1);
    folder.fail(PATH, { status: 400 }, 1);
    await assert.rejects(get(folder, {}, { partials }), /answered 400/);
    assert.deepEqual([...partials.kept.keys()], [question(folder).resume!.key]);
    folder.requests.length = 0;
    const { body, resumed } = await get(folder, {}, { partials });
    sameBytes(body, BODY);
    assert.equal(resumed, true);
    assert.deepEqual(ranges(folder), ["bytes=30000-"]);
    assert.equal(partials.kept.size, 0, "nothing stays when all is here");
  });
});

test("httpGet() keeps what came when it is stopped", async () => {
  await withFolder(async (folder) => {
    const partials = memoryPartials();
    const stop = new AbortController();
    const part = BODY.slice(0, 40_000);
    let partsSent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (partsSent++ === 0) return controller.enqueue(part);
        stop.abort(new Error("the budget is spent"));
        controller.error(stop.signal.reason);
      },
    }, { highWaterMark: 0 });
    const headers = { "etag": etagOf(BODY), "content-length": String(BODY.length) };
    const context: Partial<SourceContext> = {
      partials,
      signal: stop.signal,
      fetch: () => Promise.resolve(new Response(body, { headers })),
    };
    await assert.rejects(get(folder, {}, context), (error) => {
      assert.ok(isTransmuteError(error, "source-timeout"));
      return true;
    });
    sameBytes(partials.kept.get(question(folder).resume!.key)!.bytes, part);
    const { body: whole } = await get(folder, {}, { partials });
    sameBytes(whole, BODY);
    assert.deepEqual(ranges(folder), ["bytes=40000-"]);
  });
});

test("httpGet() lets go of a beginning that is larger than the whole may be", async () => {
  await withFolder(async (folder) => {
    const partials = memoryPartials();
    partials.kept.set(question(folder).resume!.key, { validator: etagOf(BODY), bytes: BODY });
    folder.fail(PATH, { status: 400 }, 1);
    await assert.rejects(get(folder, { maxBytes: 99_999 }, { partials }));
    assert.deepEqual(ranges(folder), [undefined]);
    assert.equal(partials.kept.size, 0);
  });
});

test("httpGet() begins anew when what was kept is of another file, or is all there is", async () => {
  await withFolder(async (folder) => {
    const { key } = question(folder).resume!;
    const table: [validator: string, bytes: Uint8Array, statuses: number[]][] = [
      ['"of another file"', BODY.slice(0, 5000), [200]],
      [etagOf(BODY), BODY, [416, 200]],
      [etagOf(BODY), new Uint8Array([...BODY, 0]), [416, 200]],
    ];
    for (const [validator, bytes, statuses] of table) {
      const partials = memoryPartials();
      partials.kept.set(key, { validator, bytes });
      folder.requests.length = 0;
      const { body, resumed } = await get(folder, {}, { partials });
      sameBytes(body, BODY);
      assert.equal(resumed, false);
      assert.deepEqual(folder.requests.map((request) => request.status), statuses);
      assert.equal(partials.kept.size, 0);
    }
  });
});

test("httpGet() says that a body is of several answers, for a lie shows only in its proof", async () => {
  await withFolder(async (folder) => {
    folder.fail(PATH, { cutAfter: 40_000 }, 1);
    folder.fail(PATH, "corrupt", 1);
    const { body, resumed } = await get(folder);
    assert.equal(resumed, true);
    assert.equal(body.length, BODY.length);
    assert.ok(body.some((byte, at) => byte !== BODY[at]));
  });
});

test("httpGet() bounds bodies whatever their headers say", async () => {
  await withFolder(async (folder) => {
    const tooLarge = async (fault: Fault | null, found: RegExp) => {
      if (fault !== null) folder.fail(PATH, fault, 1);
      folder.requests.length = 0;
      await assert.rejects(get(folder, { maxBytes: 99_999 }), (error) => {
        assert.ok(isTransmuteError(error, "size-mismatch"));
        assert.match(error.message, found);
        return true;
      });
      assert.equal(folder.count(), 1);
    };
    await tooLarge(null, /sent 100000 bytes, wanted at most 99999$/);
    await tooLarge("endless", /sent more than 99999 bytes, wanted at most 99999$/);
    await tooLarge({ headers: { "content-length": "999999999999" } }, /sent 999999999999 bytes/);
  });
});

test("httpGet() returns the answers that the question wants to judge, with their beginning", async () => {
  await withFolder(async (folder) => {
    const judged = [301, 403, 503];
    for (const status of judged) {
      folder.requests.length = 0;
      const text = `<Error><Code>${status}</Code></Error>`;
      folder.fail(PATH, { status, body: text, headers: { "x-region": "here" } }, 1);
      const answer = await get(folder, { judged });
      assert.equal(answer.status, status);
      assert.equal(new TextDecoder().decode(answer.body), text);
      assert.equal(answer.headers.get("x-region"), "here");
      assert.equal(folder.count(), 1);
    }
    folder.fail(PATH, { status: 403, body: "x".repeat(1_000_000) }, 1);
    assert.equal((await get(folder, { judged })).body.length, 65_536);
  });
});

test("httpGet() asks for the headers of each try, with those that it will send", async () => {
  await withFolder(async (folder) => {
    const signed: [string, Record<string, string>][] = [];
    folder.fail(PATH, { cutAfter: 40_000 }, 1);
    await get(folder, {
      headersFor: async (url, headers) => {
        await Promise.resolve();
        signed.push([url.pathname, { ...headers }]);
        return { "x-signature": String(signed.length) };
      },
    });
    assert.deepEqual(signed, [
      [PATH, { "accept-encoding": "identity" }],
      [PATH, {
        "accept-encoding": "identity",
        "range": "bytes=40000-",
        "if-range": etagOf(BODY),
      }],
    ]);
    assert.deepEqual(folder.requests.map(({ headers }) => headers["x-signature"]), ["1", "2"]);
  });
});
