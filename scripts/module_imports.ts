/**
 * What one TypeScript file imports and which runtime globals it names, read from its syntax, so
 * that comments and strings do not count.
 */

import ts from "npm:typescript@6.0.3";

/** One module that a file names. */
export interface Import {
  /** As written; a computed one keeps its literal beginning: `node:…`. */
  specifier: string;
  /** `eager`: loaded with the file. `lazy`: by `import()`. `type`: gone when compiled. */
  kind: "eager" | "lazy" | "type";
  line: number;
}

/** One use of a global that only one kind of runtime has. */
export interface GlobalUse {
  name: string;
  line: number;
}

/** What a file's syntax says about its place among the others. */
export interface ModuleSyntax {
  /** Relative to the project, with `/`. */
  path: string;
  lineCount: number;
  imports: Import[];
  globals: GlobalUse[];
  /** Lines of `import { type A }`, which under `verbatimModuleSyntax` stays a real import. */
  inlineTypeLines: number[];
}

const RUNTIME_GLOBALS = new Set(["Deno", "Bun", "process", "Buffer", "__dirname", "__filename"]);
const TYPES_PRAGMA_REGEXP = /^\s*\/\/\s*@ts-types="([^"]+)"/gm;

/** Reads the syntax of `text`, the content of the file at `path`. */
export function readModuleSyntax(path: string, text: string): ModuleSyntax {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
  const syntax: ModuleSyntax = {
    path,
    lineCount: text.replace(/\n$/, "").split("\n").length,
    imports: [],
    globals: [],
    inlineTypeLines: [],
  };
  const lineOf = (position: number) => source.getLineAndCharacterOfPosition(position).line + 1;

  for (const match of text.matchAll(TYPES_PRAGMA_REGEXP)) {
    const line = lineOf(match.index);
    syntax.imports.push({ specifier: match[1], kind: "type", line });
  }

  const visit = (node: ts.Node): void => {
    const line = lineOf(node.getStart(source));
    const found = importOf(node);
    if (found !== null) syntax.imports.push({ ...found, line });
    if (
      (ts.isImportSpecifier(node) || ts.isExportSpecifier(node)) && node.isTypeOnly
    ) {
      syntax.inlineTypeLines.push(line);
    }
    if (ts.isIdentifier(node) && RUNTIME_GLOBALS.has(node.text) && isValueOfGlobal(node)) {
      syntax.globals.push({ name: node.text, line });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return syntax;
}

/** The module that this node names, or `null`. */
function importOf(node: ts.Node): Omit<Import, "line"> | null {
  if (ts.isImportDeclaration(node)) {
    const clause = node.importClause;
    const isType = clause?.phaseModifier === ts.SyntaxKind.TypeKeyword;
    return named(node.moduleSpecifier, isType ? "type" : "eager");
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined) {
    return named(node.moduleSpecifier, node.isTypeOnly ? "type" : "eager");
  }
  if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
    return named(node.argument.literal, "type");
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    return named(node.arguments[0], "lazy");
  }
  return null;
}

function named(specifier: ts.Node, kind: Import["kind"]): Omit<Import, "line"> | null {
  if (ts.isStringLiteralLike(specifier)) return { specifier: specifier.text, kind };
  if (ts.isTemplateExpression(specifier)) return { specifier: `${specifier.head.text}…`, kind };
  return null; // wholly computed: nothing can be said of it
}

/** Whether an identifier stands for the global value: not a property's name, key or type. */
function isValueOfGlobal(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return ts.isIdentifier(parent.expression) && parent.expression.text === "globalThis";
  }
  if (ts.isPropertyAssignment(parent) && parent.name === node) return false;
  if (ts.isPropertySignature(parent) || ts.isPropertyDeclaration(parent)) return false;
  if (ts.isMethodSignature(parent) || ts.isMethodDeclaration(parent)) return false;
  if (ts.isTypeReferenceNode(parent) || ts.isTypeQueryNode(parent)) return false;
  if (ts.isQualifiedName(parent) || ts.isImportSpecifier(parent)) return false;
  return true;
}
