/**
 * Node and Bun. Built-in modules are taken with `process.getBuiltinModule`, without an import
 * statement: cheaper to start, and nothing for Deno to load.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import { fileUrl } from "./paths.ts";
import type { Command, FileErrorKind, Runtime } from "./runtime.ts";

type NodeProcess = typeof import("node:process");
type NodeBuffer = typeof import("node:buffer");
type NodeFs = typeof import("node:fs");
type NodeZlib = typeof import("node:zlib");
type NodeChildProcess = typeof import("node:child_process");
/** Not in Deno, whose compiler reads this too. */
type NodeSea = { isSea(): boolean } | undefined;

interface NodeGlobals {
  process: NodeProcess & {
    getBuiltinModule<T>(name: string): T;
    execve?(path: string, args: string[], env: Record<string, string>): never;
  };
  Bun?: { version: string; main: string; isStandaloneExecutable?: boolean };
}

/** Milliseconds that a program has to end by itself, after it was told to. */
const KILL_AFTER_MS = 1000;

function errorKind(error: unknown): FileErrorKind {
  switch ((error as { code?: string } | null)?.code) {
    case "ENOENT":
    case "ENOTDIR":
      return "missing";
    case "EEXIST":
      return "exists";
    case "ENOTEMPTY":
      return "not-empty";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "denied";
    case "ENOSPC":
    case "EDQUOT":
      return "no-space";
    default:
      return "other";
  }
}

function unsupported(name: string, version: string): TransmuteError {
  return new TransmuteError(
    "platform-unsupported",
    `Cannot load node:${name}: found a Node ${version}, wanted 22.15 or later`,
    { hint: "Run this program with a newer Node, or with Deno or Bun" },
  );
}

/** How much of a program is read to find the name of its loader. */
const HEADER_BYTES = 4096;

/**
 * Which C library this program is linked to. Its own header names the loader, and is read on every
 * start: Node's report costs ten times as much, so it is only asked when the header does not tell.
 */
function libcOf(process: NodeGlobals["process"], fs: NodeFs): string {
  const { Buffer } = process.getBuiltinModule<NodeBuffer>("node:buffer");
  const header = Buffer.alloc(HEADER_BYTES);
  const program = fs.openSync(process.execPath, "r");
  try {
    fs.readSync(program, header, 0, HEADER_BYTES, 0);
  } finally {
    fs.closeSync(program);
  }
  if (header.includes("/ld-linux")) return "glibc";
  if (header.includes("/ld-musl-")) return "musl";
  const report = process.report?.getReport() as
    | { header?: { glibcVersionRuntime?: string } }
    | undefined;
  return report?.header?.glibcVersionRuntime === undefined ? "musl" : "glibc";
}

/** The native implementation for Node and Bun. */
export function nodeRuntime(): Runtime {
  const { process, Bun } = globalThis as unknown as NodeGlobals;
  const builtin = <T>(name: string) => process.getBuiltinModule<T>(`node:${name}`);
  const fs = builtin<NodeFs>("fs");
  const isRaised = process.getuid?.() !== process.geteuid?.();

  function writeFile(
    path: string,
    content: Uint8Array | string,
    flags: string | number,
    mode: number,
    flush: boolean,
  ): void {
    const file = fs.openSync(path, flags, mode);
    try {
      fs.writeFileSync(file, content);
      if (flush) fs.fsyncSync(file);
    } finally {
      fs.closeSync(file);
    }
  }

  return {
    name: Bun ? "bun" : "node",
    version: Bun?.version ?? process.versions.node,
    pid: process.pid,

    readFile: (path) => fs.readFileSync(path),
    readTextFile: (path) => fs.readFileSync(path, "utf8"),
    writeFile(path, content, options = {}) {
      const flags = options.exclusive ? "wx" : "w";
      writeFile(path, content, flags, options.mode ?? 0o600, options.flush ?? false);
    },
    appendTextFile: (path, text) => writeFile(path, text, "a", 0o600, false),
    appendFile(path, content) {
      const { O_WRONLY, O_APPEND } = fs.constants;
      writeFile(path, content, O_WRONLY | O_APPEND, 0o600, false);
    },
    makeDirectory: (path, options) => void fs.mkdirSync(path, options),
    list: (path) => fs.readdirSync(path),
    status(path) {
      const status = fs.lstatSync(path, { throwIfNoEntry: false });
      if (status === undefined) return null;
      const windows = process.platform === "win32";
      return {
        kind: status.isSymbolicLink()
          ? "link"
          : status.isFile()
          ? "file"
          : status.isDirectory()
          ? "directory"
          : "other",
        sizeBytes: status.size,
        modifiedAt: Math.trunc(status.mtimeMs),
        mode: windows ? null : status.mode & 0o7777,
        userId: windows ? null : status.uid,
      };
    },
    rename: (from, to) => fs.renameSync(from, to),
    link: (path, name) => fs.linkSync(path, name),
    remove(path, options) {
      const status = fs.lstatSync(path);
      if (!status.isDirectory()) fs.unlinkSync(path);
      else if (options?.recursive) fs.rmSync(path, { recursive: true });
      else fs.rmdirSync(path);
    },
    async flush(paths) {
      await Promise.all(paths.map(async (path) => {
        const file = await fs.promises.open(path, "r");
        try {
          await file.sync();
        } finally {
          await file.close();
        }
      }));
    },
    fileErrorKind: errorKind,

    // A program with more rights than who started it takes no orders from that user's variables.
    env: (name) => isRaised && name.startsWith("TRANSMUTE_") ? undefined : process.env[name],
    homeFolder: () => process.env[process.platform === "win32" ? "USERPROFILE" : "HOME"] || null,
    userId: () => process.geteuid?.() ?? null,
    platform() {
      const base = { os: process.platform as string, cpu: process.arch as string };
      return base.os === "linux" ? { ...base, libc: libcOf(process, fs) } : base;
    },
    nodeVersion: () => process.versions.node,
    workingDirectory: () => process.cwd(),
    mainModule() {
      const main = Bun ? Bun.main : process.argv[1];
      if (!main) return null;
      try {
        return fileUrl(fs.realpathSync.native(main));
      } catch {
        return null;
      }
    },
    isTerminal: () => process.stderr.isTTY === true,
    writeError: (text) => void fs.writeSync(2, text),

    assertMayConnect() {},

    async gunzip(bytes, maxBytes) {
      const { expandWith } = await import("./inflate.ts");
      return expandWith(builtin<NodeZlib>("zlib"), bytes, maxBytes);
    },

    ownCommand() {
      const own = process.argv.slice(2);
      const isSingle = Bun?.isStandaloneExecutable ?? builtin<NodeSea>("sea")?.isSea();
      if (isSingle) return { path: process.execPath, args: own, env: {} };
      const main = process.argv[1];
      if (!main) {
        throw new TransmuteError("relaunch-failed", "Cannot relaunch: there is no main module");
      }
      return { path: process.execPath, args: [...process.execArgv, main, ...own], env: {} };
    },
    replaceProcess(command: Command): Promise<never> {
      const env = { ...process.env, ...command.env } as Record<string, string>;
      if (process.execve) {
        return Promise.resolve(process.execve(command.path, [command.path, ...command.args], env));
      }
      const { spawn } = builtin<NodeChildProcess>("child_process");
      return new Promise<never>((_resolve, reject) => {
        const child = spawn(command.path, command.args, { env, stdio: "inherit" });
        for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) {
          process.on(signal, () => child.kill(signal));
        }
        child.on("error", reject);
        child.on("exit", (code, signal) => {
          if (signal === null) process.exit(code ?? 1);
          process.removeAllListeners(signal!);
          process.kill(process.pid, signal!);
        });
      });
    },

    async run({ path, args, env }, signal, { input, showErrors, onlyGivenEnv } = {}) {
      signal.throwIfAborted();
      const { execFile } = builtin<NodeChildProcess>("child_process");
      let stop = () => {};
      try {
        return await new Promise((resolve, reject) => {
          const given = onlyGivenEnv ? env : { ...process.env, ...env };
          const options = { env: given, windowsHide: true };
          const child = execFile(path, args, options, (error, stdout) => {
            const { code, signal: killedBy } = error ?? { code: 0 };
            // What could not be started has a word for a code.
            if (typeof code !== "number" && !killedBy) return reject(error);
            resolve({ code: Number(code ?? 1), signal: killedBy ?? null, stdout });
          });
          if (showErrors) child.stderr?.on("data", (chunk) => fs.writeSync(2, chunk));
          // It need not read to the end: its exit code tells whether that was well.
          child.stdin?.on("error", () => {});
          child.stdin?.end(input);
          // Not execFile's own: that waits on for whatever a program that has ended left behind.
          stop = () => {
            reject(signal.reason);
            if (child.kill("SIGTERM")) {
              const killing = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
              child.on("exit", () => clearTimeout(killing));
            }
            for (const stream of [child.stdout, child.stderr]) stream?.destroy();
          };
          signal.addEventListener("abort", stop);
        });
      } finally {
        signal.removeEventListener("abort", stop);
      }
    },

    builtin<T>(name: string) {
      // Node 22 calls some modules experimental on standard error; that is the program's, not ours.
      const { emitWarning } = process;
      process.emitWarning = () => {};
      try {
        const module = builtin<T | undefined>(name);
        if (module === undefined) throw unsupported(name, process.versions.node);
        return Promise.resolve(module);
      } finally {
        process.emitWarning = emitWarning;
      }
    },
  };
}
