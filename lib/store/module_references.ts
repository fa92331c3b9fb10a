/**
 * Where a file names other modules with a literal: `import`, `export … from`, `import()` and
 * `import.meta.resolve()`.
 *
 * Texts are those of `PackageTree.textOf`: a position is a byte of the file.
 *
 * @module
 */

// Not the "minimal" build: it stumbles over a comment or a string in the braces of
// `import all, { /* don't */ one } from "x"`. WebAssembly starts faster than asm.js runs cold.
import { init, parse } from "npm:es-module-lexer@3.0.5";

/** One literal that names a module. */
export interface Reference {
  /** What it names, escape sequences decoded. */
  specifier: string;
  /** Where the literal's content starts and ends, its quotes left out. */
  start: number;
  end: number;
  /** `resolve` only asks for the address; `attributed` carries import attributes. */
  use: "import" | "attributed" | "resolve";
}

/** The references of a file, and whether anything in it is the syntax of a module only. */
export interface ModuleSyntax {
  references: Reference[];
  isModule: boolean;
}

const RESOLVE_CALL = /\s*\.\s*resolve\s*\(\s*(["'])([^"'\\\n]*)\1\s*[,)]/y;

/** Wherever a reference may be, and more; what it ends with is a quote, or begins a comment. */
const MAYBE_IMPORT =
  /\bimport\s*(?:\.\s*(?:source|defer|meta\s*\.\s*resolve)\s*)?(?:\(\s*)?["'`/]/g;
const MAYBE_FROM = /\bfrom\s*["'`/]/g;
const MAYBE_DYNAMIC_IMPORT = /\bimport\s*(?:\.\s*(?:source|defer)\s*)?\(\s*["'`/]/g;

/** Makes the lexer ready. To be awaited once, before `readSyntax`. */
export const prepareReferences: () => Promise<void> = init;

/** Reads a file's references; `null` when it is not JavaScript. */
export function readSyntax(text: string): ModuleSyntax | null {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse(text);
  } catch {
    return null;
  }
  const [imports, , , isModule] = parsed;
  const references: Reference[] = [];
  for (const found of imports) {
    if (found.type === "import-meta") {
      RESOLVE_CALL.lastIndex = found.end;
      const call = RESOLVE_CALL.exec(text);
      if (call === null) continue;
      const [whole, quote, specifier] = call;
      const start = found.end + whole.indexOf(quote) + 1;
      references.push({ specifier, start, end: start + specifier.length, use: "resolve" });
    } else if (found.specifier !== undefined && !(found.type === "dynamic" && found.glob)) {
      // The position of an import()'s argument includes its quotes.
      const quote = found.type === "dynamic" ? 1 : 0;
      references.push({
        specifier: found.specifier,
        start: found.start + quote,
        end: found.end - quote,
        use: found.attributesStart === -1 ? "import" : "attributed",
      });
    }
  }
  return { references: references.sort((one, other) => one.start - other.start), isModule };
}

/**
 * A cheap look at a text before it is lexed: false when it surely has no reference that `matters`.
 * A CommonJS file can only have `import()`.
 */
export function mayReferTo(
  text: string,
  format: "module" | "commonjs",
  matters: (specifier: string) => boolean,
): boolean {
  const patterns = format === "module" ? [MAYBE_IMPORT, MAYBE_FROM] : [MAYBE_DYNAMIC_IMPORT];
  return patterns.some((pattern) => {
    pattern.lastIndex = 0;
    while (pattern.test(text)) {
      const start = pattern.lastIndex;
      const quote = text[start - 1];
      if (quote === "/") return true;
      const end = text.indexOf(quote, start);
      const literal = end === -1 ? "" : text.slice(start, end);
      if (literal === "" || literal.includes("\n")) continue;
      if (literal.includes("\\") || matters(literal)) return true;
    }
    return false;
  });
}
