/**
 * Timing of whole processes against one another: one round runs every contestant once, each round
 * beginning with another of them, so that what else the machine does meets all alike.
 */

/** A process to be timed. */
export interface Contestant {
  name: string;
  /** The program and its arguments. */
  command: string[];
  workingDirectory: string;
  /** Added to the environment of this process. */
  environment?: Record<string, string>;
  /** What goes before each run and is not timed. */
  prepare?(): void;
  /** Throws when a run did not do its work; not timed. */
  verify?(): void;
}

/** What the runs of a contestant took, in milliseconds of wall time. */
export interface Timing {
  name: string;
  /** A number for each round, in the order of the rounds. */
  roundsMs: number[];
  medianMs: number;
  /** The quartiles: half of the runs lie between them. */
  lowMs: number;
  highMs: number;
}

/** The value below which the given part of the values lies. */
export function quantile(values: number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  const position = (sorted.length - 1) * part;
  const below = sorted[Math.floor(position)];
  const above = sorted[Math.ceil(position)];
  return below + (above - below) * (position - Math.floor(position));
}

/** Runs it once. @throws {Error} with its standard error when it fails */
function runOnce({ name, command, workingDirectory, environment, verify }: Contestant): number {
  const [program, ...args] = command;
  const process = new Deno.Command(program, {
    args,
    cwd: workingDirectory,
    env: environment ?? {},
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  });
  const started = performance.now();
  const { code, stderr } = process.outputSync();
  const tookMs = performance.now() - started;
  if (code !== 0) {
    throw new Error(`${name} ended with ${code}:\n${new TextDecoder().decode(stderr)}`);
  }
  verify?.();
  return tookMs;
}

/**
 * Times all contestants, `rounds` times each, after `warmUps` rounds that do not count.
 *
 * @throws {Error} when one of them fails
 */
export function timeInterleaved(
  contestants: Contestant[],
  { rounds, warmUps }: { rounds: number; warmUps: number },
): Timing[] {
  const taken = contestants.map((): number[] => []);
  for (let round = -warmUps; round < rounds; round++) {
    for (let turn = 0; turn < contestants.length; turn++) {
      const index = (turn + Math.max(round, 0)) % contestants.length;
      contestants[index].prepare?.();
      const tookMs = runOnce(contestants[index]);
      if (round >= 0) taken[index].push(tookMs);
    }
  }
  return contestants.map(({ name }, index) => ({
    name,
    roundsMs: taken[index],
    medianMs: quantile(taken[index], 0.5),
    lowMs: quantile(taken[index], 0.25),
    highMs: quantile(taken[index], 0.75),
  }));
}

/** How many times as long the first took: the median of the ratios within each round. */
export function ratioOf(timing: Timing, reference: Timing): number {
  return quantile(timing.roundsMs.map((tookMs, round) => tookMs / reference.roundsMs[round]), 0.5);
}

/** A table in Markdown. */
export function markdownTable(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, column) => column === 0 ? "---" : "---:"))]
    .concat(rows.map(line)).join("\n");
}

/** `71 (69–75)`: the median, and the quartiles behind it. */
export function timingText({ medianMs, lowMs, highMs }: Timing): string {
  const digits = medianMs < 100 ? 1 : 0;
  const [low, high] = [lowMs, highMs].map((value) => value.toFixed(digits));
  return `${medianMs.toFixed(digits)} (${low}–${high})`;
}

/** The number after `--runs`, or `otherwise`. @throws {Error} when it is no number above 0 */
export function runsArgument(args: string[], otherwise: number): number {
  const at = args.indexOf("--runs");
  if (at === -1) return otherwise;
  const runs = Number(args[at + 1]);
  if (!Number.isInteger(runs) || runs < 1) {
    throw new Error(`Cannot use --runs ${args[at + 1]}: wanted a number of 1 or more`);
  }
  return runs;
}
