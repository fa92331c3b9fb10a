/**
 * The contract of sources, clause by clause.
 *
 * @module
 */

import type { ErrorCode } from "../../lib/errors.ts";
import { isTransmuteError } from "../../lib/errors.ts";
import { bytesOf } from "../fixtures/fetched.ts";
import { memoryPartials } from "../fixtures/memory_partials.ts";
import {
  claim,
  claimFails,
  claimProven,
  claimSameBytes,
  onlyRelease,
  publishHello,
  releasesOf,
  stageContext,
} from "./claims.ts";
import type { Eggs } from "./eggs.ts";
import type { ContractPart, ContractStage } from "./subject.ts";

/** Longer than what arrives in one piece. */
const LONG_BYTES = 300_000;
/** How long a test waits before it stops a request that hangs. */
const DEADLINE_MS = 50;
const HOSTILE_NAMES = [
  ...[
    "",
    ".",
    "..",
    "/",
    "../hello",
    "..%2fhello",
    "hello/../hello",
    "@scope",
    "@scope/",
    "@/hello",
  ],
  ...["hello\0", "hello\n", "hello?x", "hello#x", "hello@1.0.0", "a/b/c", "C:hello", "\\hello"],
  ...["__proto__", "constructor", "hello ", "*", "h".repeat(5000), "https://hello.example/"],
];

/** One test. */
export interface Clause {
  title: string;
  /** The part of the contract that it belongs to, if a source may lack that. */
  part?: ContractPart;
  /** Whether it is about networks only. */
  network?: true;
  /** @param eggs makes those of the ecosystem that the source is tested with */
  run(stage: ContractStage, eggs: Eggs): Promise<void>;
}

/** The contract. */
export const CLAUSES: Clause[] = [
  {
    title: "says which ecosystem it lists, and keeps that apart from the other",
    async run(stage, eggs) {
      const { ecosystems = ["js"] } = stage.source;
      claim(ecosystems.includes(eggs.ecosystem), `it lists eggs of ${ecosystems} only`);
      const { egg } = await publishHello(stage, eggs);
      for (const ecosystem of ecosystems) {
        if (ecosystem === eggs.ecosystem) continue;
        const others = await releasesOf(
          stage,
          { ecosystem },
          egg.manifest.name,
          stageContext(stage),
        );
        claim(others.length === 0, `it listed ${egg.filename} as one of ${ecosystem}`);
      }
    },
  },
  {
    title: "has an id, and a fingerprint exactly when it is local",
    async run({ source, publish }, eggs) {
      claim(source.id !== "" && source.id.trim() === source.id, `its id is "${source.id}"`);
      const isLocal = source.kind === "local";
      claim(isLocal === (source.fingerprint !== undefined), "it is local without a fingerprint");
      const before = source.fingerprint?.();
      await publish(await eggs.make("hello", "1.0.0"));
      claim(!isLocal || source.fingerprint!() !== before, "its fingerprint does not change");
    },
  },
  {
    title: "lists every release of a project, and no other's",
    async run(stage, eggs) {
      for (const version of eggs.versions) {
        await stage.publish(await eggs.make("hello", version));
      }
      for (const name of eggs.neighbours) {
        await stage.publish(await eggs.make(name, "5.0.0"));
      }
      const context = stageContext(stage);
      const releases = await releasesOf(stage, eggs, eggs.named("hello"), context);
      const versions = releases.map(({ version }) => version).sort();
      claim(versions.join() === eggs.versions.join(), `it listed ${versions} of hello`);
      for (const { project, artifact: { validator, digests } } of releases) {
        claim(project === eggs.named("hello"), `it listed a release of ${project}`);
        claim(typeof validator === "string" && Array.isArray(digests), "an artifact is none");
      }
      for (const name of eggs.neighbours) {
        const [release, more] = await releasesOf(stage, eggs, eggs.named(name), context);
        claim(release?.version === "5.0.0" && more === undefined, `it did not list ${name}`);
      }
    },
  },
  {
    title: "lists nothing of a project that it does not have",
    async run(stage, eggs) {
      claim(
        (await releasesOf(stage, eggs, eggs.named("none"), stageContext(stage))).length === 0,
        "a release",
      );
      await stage.publish(await eggs.make("hello", "1.0.0"));
      const releases = await releasesOf(stage, eggs, eggs.named("none"), stageContext(stage));
      claim(releases.length === 0, "it listed a release of a project that was not published");
    },
  },
  {
    title: "lists nothing under a name that is none, whatever it could lead to",
    async run(stage, eggs) {
      await stage.publish(await eggs.make("hello", "1.0.0"));
      const context = stageContext(stage);
      for (const name of HOSTILE_NAMES) {
        try {
          const releases = await releasesOf(stage, eggs, name, context);
          claim(releases.length === 0, `it listed a release of ${JSON.stringify(name)}`);
        } catch (error) {
          if (!isTransmuteError(error)) throw error;
        }
      }
      claim(
        (await releasesOf(stage, eggs, eggs.named("hello"), context)).length === 1,
        "hello is gone",
      );
    },
  },
  {
    title: "lists the same when it is asked again with what it kept",
    async run(stage, eggs) {
      await stage.publish(await eggs.make("hello", "1.0.0"));
      const first = stageContext(stage);
      const [before] = await releasesOf(stage, eggs, eggs.named("hello"), first);
      const { listings } = first;
      const [again] = await releasesOf(
        stage,
        eggs,
        eggs.named("hello"),
        stageContext(stage, { listings }),
      );
      claim(JSON.stringify(again) === JSON.stringify(before), "it listed something else");
      await stage.publish(await eggs.make("hello", "2.0.0"));
      const after = await releasesOf(
        stage,
        eggs,
        eggs.named("hello"),
        stageContext(stage, { listings }),
      );
      claim(after.length === 2, "it did not list what was published since");
    },
  },
  {
    title: "brings the very bytes of an archive, short or long",
    async run(stage, eggs) {
      for (
        const egg of [
          await eggs.make("short", "1.0.0"),
          await eggs.make("long", "1.0.0", { bytes: LONG_BYTES }),
        ]
      ) {
        await stage.publish(egg);
        const { artifact } = await onlyRelease(stage, egg);
        const bytes = bytesOf(await stage.source.fetch(artifact, stageContext(stage)));
        claimSameBytes(bytes, egg.archive);
        await claimProven(bytes, artifact);
      }
    },
  },
  {
    title: "lists another validator for other bytes of the same version",
    part: "replace",
    async run(stage, eggs) {
      const egg = await eggs.make("hello", "1.0.0");
      await stage.publish(egg);
      const before = await onlyRelease(stage, egg);
      const other = await eggs.make("hello", "1.0.0", { bytes: 10, seed: 2 });
      await stage.publish(other);
      const after = await onlyRelease(stage, egg);
      claim(before.artifact.validator !== after.artifact.validator, "it listed the same one");
      const bytes = bytesOf(await stage.source.fetch(after.artifact, stageContext(stage)));
      claimSameBytes(bytes, other.archive);
    },
  },
  {
    title: "tells of an archive that is gone",
    async run(stage, eggs) {
      const { egg, artifact } = await publishHello(stage, eggs);
      await stage.remove(egg);
      await claimFails(stage.source.fetch(artifact, stageContext(stage)), stage.source, [
        "egg-missing",
      ]);
    },
  },
  {
    title: "brings no archive that is larger than it may be",
    async run(stage, eggs) {
      const { egg, artifact } = await publishHello(stage, eggs, { bytes: LONG_BYTES });
      const limited = (maxDownloadBytes: number) =>
        stage.source.fetch(artifact, stageContext(stage, { maxDownloadBytes }));
      claimSameBytes(bytesOf(await limited(egg.archive.length)), egg.archive);
      await claimFails(limited(egg.archive.length - 1), stage.source, ["size-mismatch"]);
    },
  },
  {
    title: "answers many questions at once",
    async run(stage, eggs) {
      const made = await Promise.all(
        Array.from(
          { length: 12 },
          (_, index) => eggs.make(`egg${index}`, "1.0.0", { bytes: 5000, seed: index + 1 }),
        ),
      );
      for (const egg of made) await stage.publish(egg);
      const context = stageContext(stage);
      await Promise.all(made.map(async ({ manifest: { name }, archive }) => {
        const [{ artifact }] = await releasesOf(stage, eggs, name, context);
        claimSameBytes(bytesOf(await stage.source.fetch(artifact, context)), archive);
      }));
    },
  },
  {
    title: "asks nothing when it was stopped before",
    network: true,
    async run(stage, eggs) {
      const { artifact } = await publishHello(stage, eggs);
      const signal = AbortSignal.abort(new Error("stopped before"));
      const stopped = () => stageContext(stage, { signal });
      await claimFails(releasesOf(stage, eggs, eggs.named("hello"), stopped()), stage.source, [
        "source-timeout",
      ]);
      await claimFails(stage.source.fetch(artifact, stopped()), stage.source, ["source-timeout"]);
    },
  },
  {
    title: "stops at a deadline in the middle of a body",
    network: true,
    part: "faults",
    async run(stage, eggs) {
      const { egg, artifact } = await publishHello(stage, eggs, { bytes: LONG_BYTES });
      await stage.fail!(egg, "stall");
      const context = stageContext(stage, { signal: AbortSignal.timeout(DEADLINE_MS) });
      await claimFails(stage.source.fetch(artifact, context), stage.source, ["source-timeout"]);
    },
  },
  {
    title: "never brings a part of an archive for the whole",
    network: true,
    part: "faults",
    async run(stage, eggs) {
      const { egg, artifact } = await publishHello(stage, eggs, { bytes: LONG_BYTES });
      await stage.fail!(egg, "truncate");
      const fetched = stage.source.fetch(artifact, stageContext(stage));
      await claimFails(fetched, stage.source, ["source-unreachable"]);
      await stage.fail!(egg, null);
      const bytes = bytesOf(await stage.source.fetch(artifact, stageContext(stage)));
      claimSameBytes(bytes, egg.archive);
    },
  },
  {
    title: "reads no body without end",
    network: true,
    part: "faults",
    async run(stage, eggs) {
      const { egg, artifact } = await publishHello(stage, eggs, { bytes: LONG_BYTES });
      await stage.fail!(egg, "endless");
      const fetched = stage.source.fetch(artifact, stageContext(stage));
      await claimFails(fetched, stage.source, ["size-mismatch"]);
    },
  },
  {
    title: "goes on where a body broke off, in a later request too",
    network: true,
    part: "resume",
    async run(stage, eggs) {
      const { egg, artifact } = await publishHello(stage, eggs, { bytes: LONG_BYTES });
      const partials = memoryPartials();
      await stage.fail!(egg, "truncate");
      const broken = stage.source.fetch(artifact, stageContext(stage, { partials }));
      await claimFails(broken, stage.source, ["source-unreachable"]);
      const kept = () => partials.kept.size;
      claim(kept() === 1, `it kept ${kept()} beginnings, wanted 1`);
      await stage.fail!(egg, null);
      const fetched = await stage.source.fetch(artifact, stageContext(stage, { partials }));
      claim("bytes" in fetched && fetched.resumed === true, "it does not say that it went on");
      claimSameBytes(fetched.bytes, egg.archive);
      claim(kept() === 0, "it left the beginning of what is here as a whole");
    },
  },
  {
    title: "tells that it is denied",
    network: true,
    part: "faults",
    async run(stage, eggs) {
      const { egg, artifact } = await publishHello(stage, eggs);
      await stage.fail!(egg, "deny");
      const fetched = stage.source.fetch(artifact, stageContext(stage));
      await claimFails(fetched, stage.source, ["source-denied"]);
    },
  },
  {
    title: "tells that it cannot be reached",
    network: true,
    async run(stage, eggs) {
      const { artifact } = await publishHello(stage, eggs);
      await stage.close();
      const codes: ErrorCode[] = ["source-unreachable"];
      await claimFails(
        releasesOf(stage, eggs, eggs.named("hello"), stageContext(stage)),
        stage.source,
        codes,
      );
      await claimFails(stage.source.fetch(artifact, stageContext(stage)), stage.source, codes);
    },
  },
];

/** Asserts that a secret shows in nothing that a source gives away. */
export async function showsNoSecret(
  stage: ContractStage,
  eggs: Eggs,
  secrets: string[],
): Promise<void> {
  const shown: unknown[] = [stage.source.id];
  const egg = await eggs.make("hello", "1.0.0", { bytes: LONG_BYTES });
  await stage.publish(egg);
  const context = stageContext(stage);
  const { listing } = await stage.source.list(eggs.named("hello"), context, eggs.ecosystem);
  shown.push(listing, [...context.stored]);
  const [{ artifact }] = listing.releases;
  const tell = async (asked: () => Promise<unknown>) => {
    try {
      await asked();
    } catch (error) {
      for (let cause = error; cause instanceof Error; cause = cause.cause) {
        shown.push(cause.message, { ...cause });
      }
    }
  };
  for (const fault of ["deny", "endless"] as const) {
    await stage.fail?.(egg, fault);
    await tell(() => stage.source.fetch(artifact, stageContext(stage)));
    await stage.fail?.(egg, null);
  }
  await stage.remove(egg);
  await tell(() => stage.source.fetch(artifact, stageContext(stage)));
  await stage.close();
  await tell(() => releasesOf(stage, eggs, eggs.named("hello"), stageContext(stage)));
  await tell(() => stage.source.fetch(artifact, stageContext(stage)));
  const text = JSON.stringify(shown);
  for (const secret of secrets) {
    for (const form of [secret, encodeURIComponent(secret)]) {
      claim(!text.includes(form), "it shows a secret");
    }
  }
}
