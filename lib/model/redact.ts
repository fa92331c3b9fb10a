/**
 * What no event, log or history may tell: secrets, and where the user's home is. Messages may hold
 * what a source or a runtime said, so texts are searched, whoever wrote them.
 *
 * @module
 */

/** What a secret looks like, and what takes its place. Made when first needed: starts need none. */
let patterns: [RegExp, string][] | undefined;

function secretPatterns(): [RegExp, string][] {
  return patterns ??= [
    // Name and password of an address; then whatever an address asks with: signatures, tokens.
    [/\/\/[^/\s"'@]*@/g, "//"],
    [/\b(https?:\/\/[^\s"'?#]*)\?[^\s"')]*/g, "$1?…"],
    [/\b(Bearer|Basic|AWS4-HMAC-SHA256)\s+[^\s"',;][^"';\n]*/g, "$1 …"],
    [/\b(?:npm_|gh[a-z]_|github_pat_|glpat-)[\w-]{16,}/g, "…"],
    [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g, "…"],
    [/\b(_?authToken|_auth|_?password|secret|token)(["']?\s*[=:]\s*["']?)[^\s"',;]+/gi, "$1$2…"],
    // Homes of users that cannot be asked for.
    [/(?:\/home\/|\/Users\/|\b[A-Za-z]:[\\/]+Users[\\/]+)[^\s/\\"':;,]+/g, "~"],
    [/(^|[\s"'(=:]|file:\/\/)\/root(?=[/\s"':;,)]|$)/g, "$1~"],
  ];
}

/** `text` without secrets, and with `~` for the home folder. */
export function redactText(text: string, home: string | null): string {
  let redacted = home === null || home.length < 2 ? text : text.replaceAll(home, "~");
  for (const [pattern, replacement] of secretPatterns()) {
    redacted = redacted.replace(pattern, replacement);
  }
  return redacted;
}

/** A value with every text in it redacted; of an object, the names stay. */
export function redactValue<T>(value: T, home: string | null): T {
  const redact = (item: unknown): unknown => {
    if (typeof item === "string") return redactText(item, home);
    if (Array.isArray(item)) return item.map(redact);
    if (typeof item !== "object" || item === null) return item;
    return Object.fromEntries(Object.entries(item).map(([name, field]) => [name, redact(field)]));
  };
  return redact(value) as T;
}
