/**
 * One flat `.d.ts` of everything an entry exports.
 *
 * `deno bundle --declaration` writes one too, but (2.9.6) leaves imports of project files in it,
 * loses exports with another name (`importEgg as import`) and merges functions of one name.
 */

import { rollup } from "npm:rollup@4.52.5";
import { dts } from "npm:rollup-plugin-dts@6.5.1";
import ts from "npm:typescript@6.0.3";

/** An example's import of a project file, for whom reads the declarations without it. */
const EXAMPLE_IMPORT_REGEXP = /^( *\* .*\bfrom )"\.[./\w]*\.ts"/gm;

/** The declarations of `entry`, self-contained. */
export async function flatDeclarations(entry: string): Promise<string> {
  const build = await rollup({
    input: entry,
    external: (id) => /^(npm|node):/.test(id),
    plugins: [dts({
      tsconfig: "deno.json",
      compilerOptions: {
        allowImportingTsExtensions: true,
        emitDeclarationOnly: true,
        module: ts.ModuleKind.ESNext,
        moduleResolution: ts.ModuleResolutionKind.Bundler,
        target: ts.ScriptTarget.ESNext,
      },
    })],
    onwarn({ message }) {
      throw new Error(`Cannot make the declarations of ${entry}: ${message}`);
    },
  });
  const { output: [{ code, imports }] } = await build.generate({ format: "es" });
  if (imports.length > 0) {
    throw new Error(`Cannot publish the declarations: they import ${imports.join(", ")}`);
  }
  return code.replace(EXAMPLE_IMPORT_REGEXP, '$1"./mod.js"');
}
