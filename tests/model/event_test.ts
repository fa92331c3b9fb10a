import assert from "node:assert/strict";
import { test } from "node:test";
import type { TransmuteEvent } from "../../lib/model/event.ts";
import { EVENT_LEVELS, eventText } from "../../lib/model/event.ts";

const at = "2030-01-01T00:00:00.000Z";

test("eventText() gives the kind and the fields of an event in one line", () => {
  const event: TransmuteEvent = {
    ...{ kind: "fetched", at, level: "info" },
    ...{ source: "/dist", egg: "hello@1.0.0", sizeBytes: 292, digest: "sha512:abc" },
  };
  assert.equal(
    eventText(event),
    "fetched source=/dist egg=hello@1.0.0 sizeBytes=292 digest=sha512:abc",
  );
});

test("eventText() quotes what has spaces, quotes or equal signs, and lists", () => {
  const message = 'found "1 = 2"\nand more';
  const kept: TransmuteEvent = { kind: "kept", at, level: "info", code: "offline", message };
  assert.equal(eventText(kept), `kept code=offline message=${JSON.stringify(message)}`);
  const eggs = ["hello@1.0.0", "bye@2.0.0"];
  const activated: TransmuteEvent = { kind: "activated", at, level: "info", generation: 7, eggs };
  assert.equal(eventText(activated), 'activated generation=7 eggs=["hello@1.0.0","bye@2.0.0"]');
});

test("eventText() cuts long digests, for people", () => {
  const closure = "0123456789abcdef".repeat(4);
  const event: TransmuteEvent = {
    ...{ kind: "stored", at, level: "info", egg: "hello@1.0.0", closure, files: 2 },
  };
  assert.equal(eventText(event), "stored egg=hello@1.0.0 closure=0123456789ab… files=2");
});

test("EVENT_LEVELS goes from what matters least to what matters most", () => {
  assert.deepEqual(EVENT_LEVELS, ["debug", "info", "warn", "error"]);
});
