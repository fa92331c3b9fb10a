/**
 * The runtime, files, permissions and errors. Nothing here is loaded that is not needed.
 *
 * @module
 */

export const PREFIX = "Cannot load Transmute: ";

// deno-lint-ignore no-explicit-any
export const { Deno, Bun } = globalThis as any;
// deno-lint-ignore no-explicit-any
export const node = () => (globalThis as any).process; // Slow to load in Deno, so never on every start.
export const nodeFiles = () => node().getBuiltinModule("node:fs");
/** What Deno and Node do by the same names. */
export const files = Deno ?? nodeFiles();
export const system: string = Deno?.build.os ?? node().platform;
export const isWindows = system.startsWith("win");
export const absolute = (path: string) =>
  /^([A-Za-z]:)?[\\/]|^\w[\w+]+:/.test(path) ? path : `${(Deno ?? node()).cwd()}/${path}`;
export const fileUrl = (path: string) =>
  new URL(`file://${isWindows ? "/" : ""}${path.replace(/[%#?]/g, encodeURIComponent)}`).href;

/** Throws unless Deno grants all of this. Nobody is asked. */
export function demand(name: string, key: string, ...values: string[]): void {
  const missing = values.filter((value) =>
    Deno && Deno.permissions.querySync({ name, [key]: value }).state !== "granted"
  );
  if (missing.length === 0) return;
  const flag = `--allow-${name}=${missing.join(",")}`;
  const hint = `Add ${flag} to the flags of deno run`;
  throw failure("permission-missing", `this program runs without ${flag}`, hint);
}

export function variables(...names: string[]): (string | undefined)[] {
  demand("env", "variable", ...names);
  return names.map((name) => Deno ? Deno.env.get(name) : node().env[name]);
}

export function unlessMissing<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw error;
  }
}

export const readFile = (path: string): Uint8Array | undefined =>
  unlessMissing(() => files.readFileSync(path));

/** Replaces a file in one step: nobody ever reads half of it. */
export function writeFile(path: string, content: Uint8Array | string): void {
  const temporary = `${path}.${crypto.randomUUID()}.tmp`;
  nodeFiles().writeFileSync(temporary, content, { mode: 0o600, flag: "wx", flush: true });
  nodeFiles().renameSync(temporary, path);
}

/** Makes the store, or refuses one that another user could write to. */
export function assertPrivate(root: string): void {
  for (const name of ["read", "write"]) demand(name, "path", root);
  if (!isWindows) demand("sys", "kind", "uid");
  const found = unlessMissing(() => files.lstatSync(root));
  if (!found) return void files.mkdirSync(root, { recursive: true, mode: 0o700 });
  const user = isWindows ? null : Deno ? Deno.uid() : node().getuid();
  const isFolder = Deno ? found.isDirectory : found.isDirectory();
  if (isFolder && (isWindows || (found.uid === user && (found.mode & 0o077) === 0))) return;
  const hint = `Run: chown ${user} '${root}' && chmod 700 '${root}'`;
  throw failure("store-not-private", `wanted ${root} as a folder of this user's alone`, hint);
}

const BRAND = Symbol.for("transmute.error");

/** Whether an error is Transmute's own, or one of this file's. */
export const isBranded = (error: unknown) =>
  typeof error === "object" && error !== null && BRAND in error;

/** An error with the marks that Transmute's `isTransmuteError()` looks for. */
export function failure(code: string, found: string, hint?: string, cause?: unknown): Error {
  const error = new Error(PREFIX + found, cause === undefined ? {} : { cause });
  Object.defineProperty(error, BRAND, { value: true });
  return Object.assign(error, { name: "TransmuteError", code }, hint === undefined ? {} : { hint });
}

export const codeOf = (error: unknown) => (error as { code?: string } | null)?.code;

export const textOf = (error: unknown) => error instanceof Error ? error.message : String(error);

export const isOurs = (error: unknown) => textOf(error).startsWith(PREFIX);

export const decode = (bytes?: Uint8Array) => new TextDecoder().decode(bytes);

export const hex = (bytes: ArrayLike<number>) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export async function digestOf(bytes: Uint8Array, algorithm = "SHA-512"): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest(algorithm, bytes as BufferSource)));
}

export async function assertDigest(bytes: Uint8Array, wanted: string, what: string): Promise<void> {
  const found = await digestOf(bytes, wanted.length === 64 ? "SHA-256" : "SHA-512");
  if (found === wanted) return;
  throw failure("digest-mismatch", `${what} has the digest ${found}, wanted ${wanted}`);
}
