/**
 * Gives every parser what nobody meant to write, for as long as told, and tells what then happened
 * that should not: another error than a refusal, a broken promise, or no end.
 *
 * Usage: `deno task fuzz [--minutes=N | --seconds=N] [--seed=N] [part of a parser's name…]`.
 * It prints its seed; the same seed gives the same inputs. Exit code 1 for a finding.
 */

import { chanceOf, nextInput } from "./fuzz_input.ts";
import { fuzzTargets } from "./fuzz_targets.ts";

const DEFAULT_SECONDS = 20;
/** A parser that is at one small input for longer than this will not come to an end. */
const LONGEST_MS = 5_000;
/** After so many, the rest is probably more of the same. */
const MAX_FINDINGS = 10;
/** How many milliseconds one parser gets before the next has its turn. */
const TURN_MS = 50;

interface Settings {
  seconds: number;
  seed: number;
  parts: string[];
}

function readArguments(args: string[]): Settings {
  const settings: Settings = {
    seconds: DEFAULT_SECONDS,
    seed: crypto.getRandomValues(new Uint32Array(1))[0],
    parts: [],
  };
  for (let index = 0; index < args.length; index++) {
    const [name, inline] = args[index].split("=", 2);
    if (!name.startsWith("--")) {
      settings.parts.push(name);
      continue;
    }
    const value = Number(inline ?? args[++index]);
    if (!Number.isFinite(value)) fail(`${name} wants a number`);
    if (name === "--minutes") settings.seconds = value * 60;
    else if (name === "--seconds") settings.seconds = value;
    else if (name === "--seed") settings.seed = value;
    else fail(`No option ${name}: there are --minutes, --seconds and --seed`);
  }
  return settings;
}

function fail(message: string): never {
  console.error(message);
  Deno.exit(1);
}

/** Ends the process when a parser does not come to an end, which its own thread cannot tell. */
function startWatch(): { beat(): void; end(): void } {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const text = `
    onmessage = ({ data: { beats, pid, longestMs } }) => {
      let last = -1;
      setInterval(() => {
        const now = Atomics.load(beats, 0);
        if (now === last) {
          console.error("✗ input " + now + " of this seed is without end");
          Deno.kill(pid, "SIGKILL");
        }
        last = now;
      }, longestMs);
    };`;
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const worker = new Worker(url, { type: "module" });
  worker.postMessage({ beats, pid: Deno.pid, longestMs: 2 * LONGEST_MS });
  return { beat: () => void Atomics.add(beats, 0, 1), end: () => worker.terminate() };
}

const { seconds, seed, parts } = readArguments(Deno.args);
const targets = (await fuzzTargets())
  .filter(({ name }) => parts.length === 0 || parts.some((part) => name.includes(part)));
if (targets.length === 0) fail("No parser has such a name");
console.log(`Seed ${seed}, ${targets.length} parsers, ${seconds} seconds`);

// Each has its own, so that its inputs do not depend on how fast the others are.
const chances = targets.map((_, index) => chanceOf(seed + index));
const watch = startWatch();
const endAt = performance.now() + seconds * 1000;
const counts = new Map(targets.map(({ name }) => [name, 0]));
const findings: string[] = [];
while (performance.now() < endAt && findings.length < MAX_FINDINGS) {
  for (const [index, { name, seeds, run }] of targets.entries()) {
    const turnEndsAt = Math.min(performance.now() + TURN_MS, endAt);
    while (performance.now() < turnEndsAt && findings.length < MAX_FINDINGS) {
      const input = nextInput(seeds, chances[index]);
      const startedAt = performance.now();
      watch.beat();
      try {
        await run(input);
      } catch (error) {
        const place = `build/fuzz/${name.replace(/[^a-z0-9]+/gi, "-")}-${findings.length}.bin`;
        Deno.mkdirSync("build/fuzz", { recursive: true });
        Deno.writeFileSync(place, input);
        findings.push(`${name}: ${(error as Error).stack ?? error}\n  input: ${place}`);
      }
      const tookMs = performance.now() - startedAt;
      if (tookMs > LONGEST_MS) findings.push(`${name}: took ${Math.round(tookMs)} ms`);
      counts.set(name, counts.get(name)! + 1);
    }
  }
}
watch.end();
for (const [name, count] of counts) console.log(`${String(count).padStart(9)}  ${name}`);
const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
for (const finding of findings) console.error(`\n✗ ${finding}`);
console.log(`\n${total} inputs, ${findings.length} findings`);
Deno.exit(findings.length === 0 ? 0 : 1);
