/**
 * The files of a closure in memory, looked at as Node would look at them on disk.
 *
 * All paths are relative to the closure, with `/`: `node_modules/express/lib/router/index.js`.
 *
 * @module
 */

import { baseName, parentPath } from "../runtime/paths.ts";

/** One package of a closure. */
export interface TreePackage {
  /** Where it goes below the closure: `node_modules/express/node_modules/debug`. */
  location: string;
  /**
   * Content of each file by its path relative to `location`, `package.json` and the nested
   * `node_modules` of bundled dependencies included.
   */
  files: Map<string, Uint8Array>;
}

/** The fields of a `package.json` that say what a specifier means; anything may be in them. */
export interface PackageFields {
  name?: unknown;
  type?: unknown;
  main?: unknown;
  exports?: unknown;
  imports?: unknown;
}

/** A part of a file's text, by its positions, and what takes its place. */
export interface Edit {
  start: number;
  end: number;
  text: string;
}

const NODE_MODULES = "node_modules/";

/**
 * One character per byte, whatever the encoding: a position in the text is a position in the
 * file, and a scan for ASCII syntax costs a fifth of decoding UTF-8 first.
 */
const asSingleBytes = new TextDecoder("latin1");

/** `path` without `.` and `..` segments, or `null` when it leaves the closure. */
export function normalizePath(path: string): string | null {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment !== "..") kept.push(segment);
    else if (kept.pop() === undefined) return null;
  }
  return kept.join("/");
}

/** How a file in `folder` names `path`: `./a.js`, `../b/c.js`. */
export function relativePath(folder: string, path: string): string {
  const from = folder === "" ? [] : folder.split("/");
  const to = path.split("/");
  let shared = 0;
  while (shared < from.length && shared < to.length - 1 && from[shared] === to[shared]) shared++;
  const up = "../".repeat(from.length - shared);
  return (up === "" ? "./" : up) + to.slice(shared).join("/");
}

/** The package that a path belongs to: `node_modules/@a/b` of `node_modules/@a/b/lib/c.js`. */
export function packageFolderOf(path: string): string {
  const start = `/${path}`.lastIndexOf(`/${NODE_MODULES}`) + NODE_MODULES.length;
  let end = path.indexOf("/", start);
  if (path[start] === "@" && end !== -1) end = path.indexOf("/", end + 1);
  return end === -1 ? path : path.slice(0, end);
}

/** The bytes that a UTF-8 byte order mark takes at the start of `content`: 3 or 0. */
function markLength(content: Uint8Array): number {
  return content[0] === 0xef && content[1] === 0xbb && content[2] === 0xbf ? 3 : 0;
}

/** The files of a closure, and what their `package.json` files say. */
export class PackageTree {
  /** Content of every file by its path. */
  readonly files = new Map<string, Uint8Array>();
  readonly #packages = new Set<string>();
  readonly #fields = new Map<string, PackageFields | null>();
  readonly #scopes = new Map<string, string | null>();
  readonly #texts = new Map<string, string>();

  /** Indexes the packages; where two bring the same path, the later one has it. */
  constructor(packages: Iterable<TreePackage>) {
    for (const { location, files } of packages) {
      this.#packages.add(location);
      for (const [path, content] of files) {
        const whole = `${location}/${path}`;
        this.files.set(whole, content);
        if (path.includes(NODE_MODULES)) this.#packages.add(packageFolderOf(whole));
      }
    }
  }

  /** Whether there is a file at `path`. */
  has(path: string): boolean {
    return this.files.has(path);
  }

  /** Whether `folder` is that of a package, such as `node_modules/express`. */
  hasPackage(folder: string): boolean {
    return this.#packages.has(folder);
  }

  /** What `folder`'s own `package.json` says; `null` where there is none that can be read. */
  fieldsOf(folder: string): PackageFields | null {
    let fields = this.#fields.get(folder);
    if (fields === undefined) {
      fields = this.#readFields(folder);
      this.#fields.set(folder, fields);
    }
    return fields;
  }

  #readFields(folder: string): PackageFields | null {
    const content = this.files.get(`${folder}/package.json`);
    if (content === undefined) return null;
    try {
      const fields = JSON.parse(new TextDecoder().decode(content));
      return typeof fields === "object" && fields !== null ? fields : null;
    } catch {
      return null;
    }
  }

  /** The nearest folder at or above `folder` with a `package.json`, not beyond its package. */
  scopeOf(folder: string): string | null {
    const known = this.#scopes.get(folder);
    if (known !== undefined) return known;
    let scope: string | null = null;
    if (folder !== "" && baseName(folder) !== "node_modules") {
      scope = this.files.has(`${folder}/package.json`) ? folder : this.scopeOf(parentPath(folder));
    }
    this.#scopes.set(folder, scope);
    return scope;
  }

  /** A file's text, one character per byte and without a byte order mark. */
  textOf(path: string): string {
    let text = this.#texts.get(path);
    if (text === undefined) {
      const content = this.files.get(path)!;
      text = asSingleBytes.decode(content.subarray(markLength(content)));
      this.#texts.set(path, text);
    }
    return text;
  }

  /** What stands in a file from one position of its text to another, decoded as UTF-8. */
  decode(path: string, start = 0, end?: number): string {
    const content = this.files.get(path)!;
    const offset = markLength(content);
    return new TextDecoder().decode(
      content.subarray(offset + start, end === undefined ? undefined : offset + end),
    );
  }

  /** A file's content with parts of its text replaced; `edits` in order, without overlaps. */
  edited(path: string, edits: Edit[]): Uint8Array {
    const content = this.files.get(path)!;
    const offset = markLength(content);
    const encoder = new TextEncoder();
    const pieces: Uint8Array[] = [];
    let done = 0;
    for (const { start, end, text } of edits) {
      pieces.push(content.subarray(done, offset + start), encoder.encode(text));
      done = offset + end;
    }
    pieces.push(content.subarray(done));
    const result = new Uint8Array(pieces.reduce((total, piece) => total + piece.length, 0));
    let at = 0;
    for (const piece of pieces) {
      result.set(piece, at);
      at += piece.length;
    }
    return result;
  }
}
