/** An application whose component `hello` lies in a bucket. It never changes. */

import * as transmute from "../../mod.ts";

transmute.require(["hello"], { sources: ["s3://eggs/stable"] });
const { problems } = await transmute.update();

for (const { message, hint } of problems) console.log(`(${message}. ${hint ?? ""})`);

const hello = await transmute.import<{ greet(name: string): void }>("hello");
hello.greet("world");
