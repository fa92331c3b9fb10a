import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransmuteError } from "../../lib/errors.ts";
import type { StartTimer } from "../../lib/sources/http_stall.ts";
import { httpGet, MAX_REST_MS, MAX_RETRY_AFTER_MS } from "../../lib/sources/http_request.ts";
import { STALL_MS } from "../../lib/sources/http_stall.ts";
import { bytesOf } from "../fixtures/fetched.ts";
import {
  contextOf,
  HELLO,
  impatientTimer,
  onlyArtifact,
  rejectsWith,
  sha512,
  sourceOf,
  withRegistry,
} from "../fixtures/npm_questions.ts";
import { archivePath, listingPath, startRegistry } from "../fixtures/npm_registry.ts";

test("httpGet() repeats what may pass, and then goes on", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    const faults = [
      ...[408, 429, 500, 502, 503, 504].map((status) => ({ status })),
      "hang-up" as const,
      "truncate" as const,
    ];
    for (const fault of faults) {
      const source = sourceOf(registry.source);
      registry.requests.length = 0;
      registry.fail(listingPath("hello"), fault, 2);
      const artifact = await onlyArtifact(source);
      assert.equal(registry.count(listingPath("hello")), 3, JSON.stringify(fault));
      registry.fail(archivePath("hello", "1.0.0"), fault, 2);
      assert.equal(sha512(bytesOf(await source.fetch(artifact, contextOf()))), artifact.digests[0]);
      assert.equal(registry.count(archivePath("hello", "1.0.0")), 3, JSON.stringify(fault));
    }
  });
});

test("httpGet() gives up after two repetitions, each after a longer pause", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    const pauses: number[] = [];
    const source = sourceOf(registry.source, "", { startTimer: impatientTimer(pauses) });
    registry.fail(listingPath("hello"), { status: 503 });
    await rejectsWith(
      source.list("hello", contextOf()),
      "source-unreachable",
      /^Cannot list hello: 127\.0\.0\.1:\d+ answered 503 3 times$/,
    );
    assert.equal(registry.count(), 3);
    assert.equal(pauses.length, 2);
    assert.ok(pauses[0] >= 125 && pauses[0] < 250 && pauses[1] >= 250 && pauses[1] < 500);
    registry.fail(listingPath("hello"), { status: 429, headers: { "retry-after": "2" } });
    await rejectsWith(
      source.list("hello", contextOf()),
      "source-unreachable",
      /429 3 times, asking for 2 s of rest$/,
    );
    assert.deepEqual(pauses.slice(2), [2000, 2000]);
  });
});

test("httpGet() leaves a server alone that asks for more rest than a request can wait, and tells", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    const source = sourceOf(registry.source);
    const now = "Tue, 01 Jan 2030 00:00:00 GMT";
    const table: [retryAfter: string, retryAfterMs: number, requests: number][] = [
      [String(MAX_RETRY_AFTER_MS / 1000), MAX_RETRY_AFTER_MS, 3],
      [String(MAX_RETRY_AFTER_MS / 1000 + 1), MAX_RETRY_AFTER_MS + 1000, 1],
      ["999999999", MAX_REST_MS, 1],
      // By the server's own clock.
      ["Tue, 01 Jan 2030 00:02:00 GMT", 120_000, 1],
    ];
    for (const [retryAfter, retryAfterMs, requests] of table) {
      registry.requests.length = 0;
      const headers = { "retry-after": retryAfter, "date": now };
      registry.fail(listingPath("hello"), { status: 503, headers });
      await assert.rejects(source.list("hello", contextOf()), (error) => {
        assert.ok(isTransmuteError(error, "source-unreachable"));
        assert.equal(error.retryAfterMs, retryAfterMs, retryAfter);
        return true;
      });
      assert.equal(registry.count(), requests, retryAfter);
    }
    for (const retryAfter of ["", "soon", "-5", "Mon, 31 Dec 2029 00:00:00 GMT"]) {
      const headers = { "retry-after": retryAfter, "date": now };
      registry.fail(listingPath("hello"), { status: 503, headers });
      await assert.rejects(source.list("hello", contextOf()), (error) => {
        assert.ok(isTransmuteError(error, "source-unreachable"));
        assert.equal(error.retryAfterMs, undefined, retryAfter);
        return true;
      });
    }
  });
});

test("httpGet() does not repeat what will not pass", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    const source = sourceOf(registry.source);
    for (const status of [400, 405, 418, 451, 501]) {
      registry.requests.length = 0;
      registry.fail(listingPath("hello"), { status });
      const message = new RegExp(`answered ${status}$`);
      await rejectsWith(source.list("hello", contextOf()), "source-unreachable", message);
      assert.equal(registry.count(), 1);
    }
  });
});

test("httpGet() tells when nobody answers", async () => {
  const registry = await startRegistry();
  await registry.close();
  const source = sourceOf(registry.source);
  await rejectsWith(
    source.list("hello", contextOf()),
    "source-unreachable",
    /^Cannot list hello: 127\.0\.0\.1:\d+ failed \(.+\) 3 times$/,
  );
});

test("httpGet() gives up a source that goes silent", async () => {
  for (const what of ["list", "fetch"] as const) {
    const periods: (() => void)[] = [];
    const startTimer: StartTimer = (ms, fire) => {
      assert.equal(ms, STALL_MS);
      periods.push(fire);
      return () => {};
    };
    // One part of an answer and then nothing, which tells when the reader waits for more.
    let isWaiting = () => {};
    const waiting = new Promise<void>((resolve) => isWaiting = resolve);
    const context = contextOf({
      fetch: (_url, init) => {
        let parts = 0;
        const body = new ReadableStream<Uint8Array>({
          pull(controller) {
            if (parts++ === 0) return controller.enqueue(new Uint8Array(10));
            isWaiting();
            return new Promise((_resolve, reject) => {
              init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
            });
          },
        }, { highWaterMark: 0 });
        return Promise.resolve(new Response(body));
      },
    });
    const source = sourceOf("npm+https://registry.example/", "", { startTimer });
    const artifact = { locator: "https://registry.example/a.tgz", digests: [], validator: "" };
    const asked = what === "list" ? source.list("hello", context) : source.fetch(artifact, context);
    asked.catch(() => {});
    await waiting;
    // The first period had progress, so another follows; one without is the end.
    periods[0]();
    assert.equal(periods.length, 2);
    periods[1]();
    await rejectsWith(asked, "source-timeout", /sent nothing for 30 seconds$/);
    assert.equal(periods.length, 2);
  }
});

test("httpGet() stops with its signal: before, during and between requests", async () => {
  await withRegistry({ packages: [HELLO] }, async (registry) => {
    const source = sourceOf(registry.source);
    const reason = new DOMException("The budget is spent", "TimeoutError");
    const before = contextOf({ signal: AbortSignal.abort(reason) });
    await rejectsWith(source.list("hello", before), "source-timeout", /The budget is spent/);
    assert.equal(registry.count(), 0);

    registry.fail(listingPath("hello"), "stall");
    const during = new AbortController();
    const asked = source.list("hello", contextOf({ signal: during.signal }));
    asked.catch(() => {});
    await registry.answered(listingPath("hello"));
    during.abort(reason);
    await rejectsWith(asked, "source-timeout", /did not answer before the request was stopped/);

    registry.fail(listingPath("hello"), { status: 503 });
    const between = new AbortController();
    const pausing = sourceOf(registry.source, "", {
      startTimer: (ms) => {
        if (ms !== STALL_MS) queueMicrotask(() => between.abort(reason));
        return () => {};
      },
    });
    await rejectsWith(
      pausing.list("hello", contextOf({ signal: between.signal })),
      "source-timeout",
      /The budget is spent\); before that, 127\.0\.0\.1:\d+ answered 503$/,
    );
  });
});

test("httpGet() stops with its signal when fetch does not: before an answer, and in bodies", async () => {
  const reason = new DOMException("The budget is spent", "TimeoutError");
  const answers = [
    null,
    (body: ReadableStream) => new Response(body),
    // What is judged by its beginning, and what is only let go of.
    (body: ReadableStream) => new Response(body, { status: 400 }),
    (body: ReadableStream) => new Response(body, { status: 302, headers: { location: "/" } }),
  ];
  for (const answer of answers) {
    const ending = new AbortController();
    const abort = () => queueMicrotask(() => ending.abort(reason));
    const never = new Promise<never>(() => {});
    // A body that hears nothing of the signal, not even when it is told that nobody reads it.
    const body = () =>
      new ReadableStream({
        pull: () => (abort(), never),
        cancel: () => (abort(), never),
      }, { highWaterMark: 0 });
    const fetch = () => {
      if (answer !== null) return Promise.resolve(answer(body()));
      abort();
      return never;
    };
    const asked = httpGet(
      {
        ...{ action: "list hello", url: new URL("https://eggs.example/hello") },
        ...{ source: "eggs", configured: [], headers: {}, judged: [400] },
        ...{ maxBytes: 100, tooLarge: "listing-invalid" },
      },
      { fetch, signal: ending.signal },
    );
    await rejectsWith(asked, "source-timeout", /did not answer before .*The budget is spent/);
  }
});

/** A `fetch` that answers from a table of redirects, and the addresses that it was asked for. */
function redirecting(table: Record<string, string>): { fetch: typeof fetch; asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    fetch: (input, init) => {
      assert.equal(init?.redirect, "manual");
      const url = String(input);
      asked.push(url);
      const location = table[url];
      const headers = location === "" ? undefined : { location };
      return Promise.resolve(
        location === undefined
          ? Response.json({ name: "hello" })
          : new Response(null, { status: 302, headers }),
      );
    },
  };
}

test("httpGet() follows redirects within and between public hosts", async () => {
  const { fetch, asked } = redirecting({
    "https://registry.example/hello": "/v2/hello",
    "https://registry.example/v2/hello": "https://ada:secret@files.example/hello",
  });
  const source = sourceOf("npm+https://registry.example/");
  await source.list("hello", contextOf({ fetch }));
  assert.deepEqual(asked, [
    "https://registry.example/hello",
    "https://registry.example/v2/hello",
    "https://files.example/hello",
  ]);
});

test("httpGet() follows no redirect to where it must not ask", async () => {
  const table: [from: string, to: string, found: RegExp][] = [
    ["https://registry.example", "http://registry.example/x", /unencrypted/],
    ["https://registry.example", "http://127.0.0.1/x", /unencrypted/],
    ["https://registry.example", "https://127.0.0.1/x", /the loopback address 127\.0\.0\.1,/],
    ["https://registry.example", "https://localhost:8080/x", /the loopback address/],
    ["https://registry.example", "https://[::1]/x", /the loopback address \[::1\]/],
    ["https://registry.example", "https://2130706433/x", /the loopback address 127\.0\.0\.1/],
    ["https://registry.example", "https://169.254.169.254/x", /the link-local address/],
    ["https://registry.example", "https://192.168.1.1/x", /the private address/],
    ["http://registry.example", "http://169.254.169.254/x", /the link-local address/],
    ["http://127.0.0.1:4873", "http://169.254.169.254/x", /the link-local address/],
    ["http://127.0.0.1:4873", "http://10.0.0.1/x", /the private address/],
    ["https://registry.example", "file:///etc/passwd", /scheme "file:"/],
    ["https://registry.example", "data:application/json,{}", /scheme "data:"/],
    ["https://registry.example", "", /without an address/],
    ["https://registry.example", "https://", /without an address/],
  ];
  for (const [from, to, found] of table) {
    const { fetch, asked } = redirecting({ [`${from}/hello`]: to });
    const source = sourceOf(`npm+${from}`);
    await rejectsWith(source.list("hello", contextOf({ fetch })), "source-unreachable", found);
    assert.equal(asked.length, 1, to);
  }
});

test("httpGet() follows no redirect from TLS to plain HTTP, though another registry is plain", async () => {
  const { fetch, asked } = redirecting({
    "https://registry.example/hello": "http://plain.example/hello",
  });
  const source = sourceOf(
    "npm:",
    "registry=https://registry.example/\n@plain:registry=http://plain.example/",
  );
  await rejectsWith(
    source.list("hello", contextOf({ fetch })),
    "source-unreachable",
    /redirected to the unencrypted address http:\/\/plain\.example\/hello/,
  );
  await source.list("@plain/hello", contextOf({ fetch })).catch(() => {});
  assert.deepEqual(asked, [
    "https://registry.example/hello",
    "http://plain.example/@plain%2fhello",
  ]);
});

test("httpGet() follows at most five redirects", async () => {
  const chain = (length: number) =>
    Object.fromEntries(
      Array.from({ length }, (_, index) => [
        `https://registry.example/${index === 0 ? "hello" : index}`,
        `/${index + 1}`,
      ]),
    );
  const source = sourceOf("npm+https://registry.example/");
  await source.list("hello", contextOf({ fetch: redirecting(chain(5)).fetch }));
  await rejectsWith(
    source.list("hello", contextOf({ fetch: redirecting(chain(6)).fetch })),
    "source-unreachable",
    /redirected more than 5 times/,
  );
});

test("httpGet() asks for no archive where a redirect might not lead", async () => {
  const { fetch, asked } = redirecting({});
  const source = sourceOf("npm+https://registry.example/");
  for (
    const locator of [
      "https://169.254.169.254/latest/meta-data",
      "https://localhost/a.tgz",
      "http://files.example/a.tgz",
      "file:///etc/passwd",
    ]
  ) {
    const artifact = { locator, digests: [], validator: "" };
    await rejectsWith(
      source.fetch(artifact, contextOf({ fetch })),
      "source-unreachable",
      /wanted (?:a public one|"https:")$/,
    );
  }
  assert.deepEqual(asked, []);
});
