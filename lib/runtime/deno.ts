/**
 * Deno, by its own interface only.
 *
 * Every operation first asks whether it is permitted: a missing permission becomes
 * `permission-missing` with the flag to add, never a prompt in the middle of a start.
 *
 * @module
 */

import { TransmuteError } from "../errors.ts";
import type {
  Command,
  CommandOutput,
  FileErrorKind,
  FileStatus,
  RunOptions,
  Runtime,
} from "./runtime.ts";

const SIGNALS_TO_FORWARD = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"];
/** Milliseconds that a program has to end by itself, after it was told to. */
const KILL_AFTER_MS = 1000;
/** Above this, loading `node:zlib` (15 ms) is repaid by its faster expansion. */
const ZLIB_FROM_BYTES = 512 * 1024;

function demand(descriptor: Deno.PermissionDescriptor, flag: string): void {
  if (Deno.permissions.querySync(descriptor).state === "granted") return;
  throw new TransmuteError(
    "permission-missing",
    `Cannot go on: this program runs without the permission ${flag}`,
    { hint: `Add ${flag} to the flags of deno run` },
  );
}

const demandRead = (path: string) => demand({ name: "read", path }, `--allow-read=${path}`);
const demandWrite = (path: string) => demand({ name: "write", path }, `--allow-write=${path}`);

function mayReadEnv(name: string): boolean {
  return Deno.permissions.querySync({ name: "env", variable: name }).state === "granted";
}

function hasAllPermissions(): boolean {
  const names = ["run", "read", "write", "net", "env", "sys", "ffi"] as const;
  return names.every((name) => Deno.permissions.querySync({ name }).state === "granted");
}

function statusOf(status: Deno.FileInfo): FileStatus {
  return {
    kind: status.isSymlink
      ? "link"
      : status.isFile
      ? "file"
      : status.isDirectory
      ? "directory"
      : "other",
    sizeBytes: status.size,
    modifiedAt: status.mtime?.getTime() ?? 0,
    mode: status.mode === null ? null : status.mode & 0o7777,
    userId: status.uid,
  };
}

function errorKind(error: unknown): FileErrorKind {
  if (error instanceof Deno.errors.NotFound) return "missing";
  if (error instanceof Deno.errors.AlreadyExists) return "exists";
  if (
    error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable
  ) return "denied";
  const code = (error as { code?: string } | null)?.code;
  if (code === "ENOTEMPTY" || code === "EEXIST") return "not-empty";
  if (code === "ENOENT" || code === "ENOTDIR") return "missing";
  if (code === "ENOSPC" || code === "EDQUOT") return "no-space";
  return "other";
}

function writeAll(file: Deno.FsFile, content: Uint8Array): void {
  let written = 0;
  while (written < content.length) written += file.writeSync(content.subarray(written));
}

async function gunzip(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  const { expandWith, inflateBounded } = await import("./inflate.ts");
  if (bytes.length >= ZLIB_FROM_BYTES) {
    return expandWith(await import("node:zlib"), bytes, maxBytes);
  }
  return await inflateBounded(bytes, maxBytes);
}

/**
 * Runs the command as a child with this process's streams and ends as the child ended.
 *
 * The keys of a terminal send their signals to the child by themselves: handed on as well, one
 * Ctrl-C would be two.
 */
async function replaceProcess(command: Command): Promise<never> {
  demand({ name: "run", command: command.path }, `--allow-run=${command.path}`);
  // deno-lint-ignore prefer-const -- the listeners must be there before it is
  let child: Deno.ChildProcess | undefined;
  const keys = Deno.stdin.isTerminal() ? ["SIGINT", "SIGQUIT"] : [];
  for (const signal of SIGNALS_TO_FORWARD as Deno.Signal[]) {
    try {
      Deno.addSignalListener(signal, () => {
        if (keys.includes(signal)) return;
        try {
          child?.kill(signal);
        } catch { /* it has just ended */ }
      });
    } catch { /* this system has no such signal */ }
  }
  child = new Deno.Command(command.path, {
    args: command.args,
    env: command.env,
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn();
  const status = await child.status;
  // After a signal the code is 128 + its number, as a shell would tell it.
  Deno.exit(status.code);
}

async function run(
  { path, args, env }: Command,
  signal: AbortSignal,
  { input, showErrors, onlyGivenEnv }: RunOptions = {},
): Promise<CommandOutput> {
  demand({ name: "run", command: path }, `--allow-run=${path}`);
  signal.throwIfAborted();
  const child = new Deno.Command(path, {
    args,
    env,
    clearEnv: onlyGivenEnv === true,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: showErrors ? "inherit" : "null",
  }).spawn();
  let killing: ReturnType<typeof setTimeout> | undefined;
  const send = (name: Deno.Signal) => {
    try {
      child.kill(name);
    } catch { /* it has just ended */ }
  };
  const kill = () => {
    send("SIGTERM");
    killing = setTimeout(() => send("SIGKILL"), KILL_AFTER_MS);
  };
  signal.addEventListener("abort", kill);
  const ended = child.status.finally(() => {
    clearTimeout(killing);
    signal.removeEventListener("abort", kill);
  });
  // Given the signal, for whatever the program itself started may hold the stream for ever.
  const output = child.stdout.pipeThrough(new TransformStream(), { signal });
  const [{ code, signal: killedBy }, stdout] = await Promise.all([
    ended,
    textOf(output),
    input && write(child.stdin, input),
  ]);
  return { code, signal: killedBy, stdout };
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  return text + decoder.decode();
}

/** Writes to a program, which need not read to the end. */
async function write(stream: WritableStream<Uint8Array>, bytes: Uint8Array): Promise<void> {
  const writer = stream.getWriter();
  try {
    await writer.write(bytes);
    await writer.close();
  } catch { /* it has ended: its exit code tells whether that was well */ }
}

/** The native implementation for Deno. */
export function denoRuntime(): Runtime {
  const executable = Deno.execPath();
  return {
    name: "deno",
    version: Deno.version.deno,
    pid: Deno.pid,

    readFile(path) {
      demandRead(path);
      return Deno.readFileSync(path);
    },
    readTextFile(path) {
      demandRead(path);
      return Deno.readTextFileSync(path);
    },
    writeFile(path, content, options = {}) {
      demandWrite(path);
      const file = Deno.openSync(path, {
        write: true,
        create: !options.exclusive,
        createNew: options.exclusive ?? false,
        truncate: !options.exclusive,
        mode: options.mode ?? 0o600,
      });
      try {
        writeAll(file, content);
        if (options.flush) file.syncSync();
      } finally {
        file.close();
      }
    },
    appendTextFile(path, text) {
      demandWrite(path);
      const file = Deno.openSync(path, { append: true, create: true, mode: 0o600 });
      try {
        writeAll(file, new TextEncoder().encode(text));
      } finally {
        file.close();
      }
    },
    appendFile(path, content) {
      demandWrite(path);
      const file = Deno.openSync(path, { append: true });
      try {
        writeAll(file, content);
      } finally {
        file.close();
      }
    },
    makeDirectory(path, options = {}) {
      demandWrite(path);
      Deno.mkdirSync(path, options);
    },
    list(path) {
      demandRead(path);
      return Array.from(Deno.readDirSync(path), (entry) => entry.name);
    },
    status(path) {
      demandRead(path);
      try {
        return statusOf(Deno.lstatSync(path));
      } catch (error) {
        if (errorKind(error) === "missing") return null;
        throw error;
      }
    },
    rename(from, to) {
      demandRead(from);
      demandWrite(from);
      demandWrite(to);
      Deno.renameSync(from, to);
    },
    link(path, name) {
      demandRead(path);
      demandWrite(path);
      demandWrite(name);
      Deno.linkSync(path, name);
    },
    remove(path, options) {
      demandWrite(path);
      Deno.removeSync(path, options);
    },
    async flush(paths) {
      const files = paths.map((path) => {
        demandRead(path);
        return Deno.openSync(path, { read: true });
      });
      try {
        await Promise.all(files.map((file) => file.sync()));
      } finally {
        for (const file of files) file.close();
      }
    },
    fileErrorKind: errorKind,

    env(name) {
      if (!mayReadEnv(name)) {
        // Variables of one family come together: naming them singly would make a long evening.
        const family = ["TRANSMUTE_", "AWS_"].find((prefix) => name.startsWith(prefix));
        const flag = family === undefined ? name : `${family}*`;
        demand({ name: "env", variable: name }, `--allow-env=${flag}`);
      }
      return Deno.env.get(name);
    },
    homeFolder() {
      const name = Deno.build.os === "windows" ? "USERPROFILE" : "HOME";
      return mayReadEnv(name) ? Deno.env.get(name) || null : null;
    },
    userId() {
      if (Deno.build.os === "windows") return null;
      demand({ name: "sys", kind: "uid" }, "--allow-sys=uid");
      return Deno.uid();
    },
    platform() {
      const os = Deno.build.os === "windows" ? "win32" : Deno.build.os;
      const cpu = Deno.build.arch === "x86_64" ? "x64" : "arm64";
      return os === "linux"
        ? { os, cpu, libc: Deno.build.target.endsWith("musl") ? "musl" : "glibc" }
        : { os, cpu };
    },
    nodeVersion() {
      return (globalThis as unknown as { process: { versions: { node: string } } }).process.versions
        .node;
    },
    workingDirectory: () => Deno.cwd(),
    mainModule() {
      return Deno.mainModule || null;
    },
    isTerminal() {
      return Deno.stderr.isTerminal();
    },
    writeError(text) {
      Deno.stderr.writeSync(new TextEncoder().encode(text));
    },

    assertMayConnect(host) {
      demand({ name: "net", host }, `--allow-net=${host}`);
    },
    gunzip,

    ownCommand(denoFlags) {
      if (Deno.build.standalone) return { path: executable, args: [...Deno.args], env: {} };
      const flags = denoFlags ?? (hasAllPermissions() ? ["-A"] : null);
      if (flags === null) {
        throw new TransmuteError(
          "relaunch-failed",
          "Cannot relaunch: a Deno program cannot learn the flags it was started with",
          { hint: "Pass the program's own permission flags as the option denoFlags" },
        );
      }
      return { path: executable, args: ["run", ...flags, Deno.mainModule, ...Deno.args], env: {} };
    },
    replaceProcess,
    run,

    builtin<T>(name: string) {
      return import(`node:${name}`) as Promise<T>;
    },
  };
}
