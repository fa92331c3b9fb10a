/**
 * What a command of a Python project costs, from PyPI: `transmute run` against `uvx`, `pipx run` and
 * `pip install --target`, the first time and again. `deno task bench:python`.
 *
 * Prints medians and ratios within this run; `BENCHMARKS.md` keeps them. Needs PyPI.
 */

import { pythonPackages } from "./python_packages.ts";
import { runtimePaths } from "./runtimes.ts";

const PROJECT = "cowsay";
const RUNS = 5;

/** One way to run the command. */
interface Way {
  name: string;
  /** Runs it with everything that it keeps in this folder. */
  run(folder: string): [command: string, args: string[], env: Record<string, string>];
}

const tools = await pythonPackages({
  name: "python-tools-1",
  requirements: ["uv==0.13.9", "pipx==1.18.4"],
});
const { node24 } = await runtimePaths();
const built = await new Deno.Command(Deno.execPath(), { args: ["task", "build:npm"] }).output();
if (!built.success) throw new Error("The npm package could not be built");
const unpacked = Deno.makeTempDirSync({ prefix: "transmute-bench-package-" });
const [archive] = [...Deno.readDirSync("npm")].map(({ name }) => name)
  .filter((name) => name.endsWith(".tgz"));
await new Deno.Command("tar", { args: ["-xzf", `npm/${archive}`, "-C", unpacked] }).output();
const main = `${unpacked}/package/main.js`;

const said = ["-t", "hi"];
const WAYS: Way[] = [
  {
    name: "transmute run",
    run: (folder) => [
      node24,
      [main, "run", `pypi:${PROJECT}`, "--", ...said],
      { TRANSMUTE_CACHE_DIR: `${folder}/store`, TRANSMUTE_NO_UPDATE: "0" },
    ],
  },
  {
    name: "uvx",
    run: (folder) => [
      `${tools}/bin/uv`,
      ["tool", "run", "--no-config", PROJECT, ...said],
      { UV_CACHE_DIR: `${folder}/cache`, UV_TOOL_DIR: `${folder}/tools` },
    ],
  },
  {
    name: "pipx run",
    run: (folder) => [
      "python3",
      ["-m", "pipx", "run", PROJECT, ...said],
      { PYTHONPATH: tools, PIPX_HOME: `${folder}/home`, PIP_CACHE_DIR: `${folder}/cache` },
    ],
  },
  {
    name: "pip install --target",
    run: (folder) => [
      "sh",
      [
        "-c",
        `python3 -m pip install -q --disable-pip-version-check --target "$0/site" ${PROJECT} && ` +
        `PYTHONPATH="$0/site" python3 -m ${PROJECT} ${said.join(" ")}`,
        folder,
      ],
      { PIP_CACHE_DIR: `${folder}/cache` },
    ],
  },
];

async function timed(way: Way, folder: string): Promise<number> {
  const [command, args, env] = way.run(folder);
  const started = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(command, { args, env, stdin: "null" })
    .output();
  const ms = performance.now() - started;
  const decoder = new TextDecoder();
  if (!success || !decoder.decode(stdout).includes("hi")) {
    throw new Error(`${way.name} failed: ${decoder.decode(stderr).slice(-500)}`);
  }
  return ms;
}

function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
}

const first = new Map<string, number[]>();
const again = new Map<string, number[]>();
for (let run = 0; run < RUNS; run++) {
  for (const way of WAYS) {
    const folder = Deno.makeTempDirSync({ prefix: "transmute-bench-" });
    Deno.chmodSync(folder, 0o700);
    try {
      first.set(way.name, [...first.get(way.name) ?? [], await timed(way, folder)]);
      again.set(way.name, [...again.get(way.name) ?? [], await timed(way, folder)]);
    } finally {
      Deno.removeSync(folder, { recursive: true });
    }
  }
}
console.log(
  `${PROJECT} from PyPI, the median of ${RUNS}, each way in turn; ratios to transmute run`,
);
for (const [what, times] of [["the first time", first], ["again", again]] as const) {
  const own = median(times.get("transmute run")!);
  for (const { name } of WAYS) {
    const ms = median(times.get(name)!);
    console.log(
      `${what.padEnd(15)} ${name.padEnd(21)} ${ms.toFixed(0).padStart(6)} ms ${
        (ms / own).toFixed(2)
      }×`,
    );
  }
}
Deno.removeSync(unpacked, { recursive: true });
