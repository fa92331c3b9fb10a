/**
 * A tool of one file that keeps itself up to date. `VERSION` is put in when it is built.
 */

import { self } from "../../mod.ts";

declare const VERSION: string;

async function main(args: string[]): Promise<void> {
  // What a new one is asked before it may take this one's place.
  if (args[0] === "--version") return console.log(`mytool ${VERSION}`);
  await self({
    name: "mytool",
    version: VERSION,
    sources: [process.env.MYTOOL_EGGS ?? "https://eggs.example/stable"],
    ...(process.env.MYTOOL_ROOT ? { trust: { root: process.env.MYTOOL_ROOT } } : {}),
    budgetMs: 60_000,
  });
  if (VERSION === "3.0.0") throw new Error("a mistake of version 3.0.0");
  console.log(`mytool ${VERSION} greets ${args.join(" ") || "nobody"}`);
}

main(process.argv.slice(2));
