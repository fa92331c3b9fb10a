/**
 * Paths and `file:` URLs, without a runtime's path library: in Deno, `node:path` alone costs
 * more than a whole idle start. Nor by regular expressions: each one costs a start a tenth of a
 * millisecond to compile.
 *
 * @module
 */

/** Joins path segments with `/`, which every supported system accepts. */
export function joinPath(...segments: string[]): string {
  let joined = "";
  for (const segment of segments) {
    if (joined === "") joined = segment;
    else if (segment !== "") {
      const slashes = Number(joined.endsWith("/")) + Number(segment.startsWith("/"));
      joined += slashes === 0 ? `/${segment}` : slashes === 1 ? segment : segment.slice(1);
    }
  }
  return joined;
}

/** The folder that holds `path`. */
export function parentPath(path: string): string {
  const end = Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"));
  return end <= 0 ? path.slice(0, end + 1) : path.slice(0, end);
}

/** The last segment of `path`. */
export function baseName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** Whether `path` begins with a drive of Windows, such as `C:`. */
function hasDrive(path: string): boolean {
  const letter = path.charCodeAt(0) | 0x20;
  return path[1] === ":" && letter >= 0x61 && letter <= 0x7a;
}

/** Whether `path` does not depend on the working directory. */
export function isAbsolutePath(path: string): boolean {
  return path.startsWith("/") || path.startsWith("\\\\") ||
    (hasDrive(path) && (path[2] === "/" || path[2] === "\\"));
}

/** `path` made absolute against `base`, with `.` and `..` segments resolved. */
export function absolutePath(path: string, base: string): string {
  const whole = (isAbsolutePath(path) ? path : `${base}/${path}`).replaceAll("\\", "/");
  const drive = hasDrive(whole) ? whole.slice(0, 2) : "";
  const kept: string[] = [];
  for (const segment of whole.slice(drive.length).split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return `${drive}/${kept.join("/")}`;
}

/** The `file:` URL of an absolute path. */
export function fileUrl(path: string): string {
  const encoded = path.replaceAll("\\", "/").split("/")
    .map((segment, index) =>
      index === 0 && segment.length === 2 && hasDrive(segment)
        ? segment
        : encodeURIComponent(segment)
    )
    .join("/");
  return encoded.startsWith("/") ? `file://${encoded}` : `file:///${encoded}`;
}

/** The path of a `file:` URL. */
export function pathOfFileUrl(url: string | URL): string {
  const path = decodeURIComponent(new URL(url).pathname);
  return hasDrive(path.slice(1)) ? path.slice(1) : path;
}
