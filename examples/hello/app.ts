/** An application whose component `hello` keeps itself up to date. It never changes. */

import * as transmute from "../../mod.ts";

transmute.require(["hello"], { sources: ["dist"] });
const report = await transmute.update();

for (const { version, message } of report.refused) {
  console.log(`(hello ${version} was refused. ${message})`);
}

const hello = await transmute.import<{ greet(name: string): void }>("hello");
hello.greet("world");
