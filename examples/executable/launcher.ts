/**
 * For tools in folders that their users may not write to: a small program that stays as it is, and
 * starts the newest executable in the user's own store that could be proven.
 *
 * Build it as one file, call it `mytool`, and have it installed once.
 */

import { Transmute } from "../../mod.ts";

async function main(args: string[]): Promise<void> {
  const app = new Transmute({
    app: "mytool-launcher",
    sources: [process.env.MYTOOL_EGGS ?? "https://eggs.example/stable"],
    ...(process.env.MYTOOL_ROOT ? { trust: { root: process.env.MYTOOL_ROOT } } : {}),
  });
  app.require("executable:mytool");
  await app.update();
  const { code } = await app.spawn("mytool", args);
  process.exit(code);
}

main(process.argv.slice(2));
