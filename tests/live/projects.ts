/**
 * Real npm projects, and one real thing to do with each: what the live matrix runs in every mode
 * of every runtime.
 *
 * @module
 */

/** A project and a use of it. */
export interface Project {
  /** A pinned requirement, such as `npm:chalk@6.0.1`. */
  requirement: string;
  /**
   * The body of an async function in an ES module file. It is given `load(specifier)`, which is
   * `transmute.import`, and returns a string.
   */
  use: string;
  /** What `use` returns. */
  expect: string;
}

/** Wraps a use with an HTTP server on loopback that answers `{"hello":"world"}`; gives `url`. */
function withServer(body: string): string {
  return `
    const { createServer } = await import("node:http");
    const server = createServer((request, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ hello: "world", path: request.url }));
    });
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = "http://127.0.0.1:" + server.address().port;
    try {
      ${body}
    } finally {
      server.closeAllConnections();
      server.close();
    }`;
}

/** Every project of the bar: each loads with its whole tree. */
export const PROJECTS: Project[] = [
  {
    requirement: "npm:semver@7.8.6",
    use: `
      const semver = await load("semver");
      const satisfies = (await load("semver/functions/satisfies.js")).default;
      return semver.inc("1.2.3", "minor") + " " + satisfies("1.3.0", "^1.2");`,
    expect: "1.3.0 true",
  },
  {
    requirement: "npm:tar-stream@3.2.2",
    use: `
      const { pack, extract } = await load("tar-stream");
      const archive = pack();
      archive.entry({ name: "a.txt" }, "hello");
      archive.finalize();
      const found = [];
      for await (const entry of archive.pipe(extract())) {
        let text = "";
        for await (const chunk of entry) text += chunk;
        found.push(entry.header.name + "=" + text);
      }
      return found.join();`,
    expect: "a.txt=hello",
  },
  {
    requirement: "npm:execa@10.2.1",
    use: `
      const { execa } = await load("execa");
      const { stdout, exitCode } = await execa("echo", ["hello"]);
      return stdout + " " + exitCode;`,
    expect: "hello 0",
  },
  {
    requirement: "npm:yargs@18.2.0",
    use: `
      const { default: yargs } = await load("yargs");
      const { hideBin } = await load("yargs/helpers");
      const words = hideBin(["node", "program", "--port=8080", "-v"]);
      const given = await yargs(words).option("v", { type: "boolean" }).parse();
      return given.port + " " + given.v;`,
    expect: "8080 true",
  },
  {
    requirement: "npm:chalk@6.0.1",
    use: `
      const { Chalk } = await load("chalk");
      return JSON.stringify(new Chalk({ level: 1 }).red("x"));`,
    expect: '"\\u001b[31mx\\u001b[39m"',
  },
  {
    requirement: "npm:express@4.22.3",
    use: `
      const { default: express } = await load("express");
      const app = express();
      app.use(express.json());
      app.post("/greet/:name", (request, response) => {
        response.json({ text: request.body.greeting + ", " + request.params.name });
      });
      const server = await new Promise((resolve) => {
        const listening = app.listen(0, "127.0.0.1", () => resolve(listening));
      });
      try {
        const url = "http://127.0.0.1:" + server.address().port;
        const answer = await fetch(url + "/greet/world", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ greeting: "Hi" }),
        });
        return (await answer.json()).text;
      } finally {
        server.closeAllConnections();
        server.close();
      }`,
    expect: "Hi, world",
  },
  {
    requirement: "npm:zod@4.6.7",
    use: `
      const { z } = await load("zod");
      const mini = await load("zod/mini");
      const shape = z.object({ port: z.coerce.number().int() });
      return shape.parse({ port: "8080" }).port + " " + mini.safeParse(mini.string(), 1).success;`,
    expect: "8080 false",
  },
  {
    requirement: "npm:undici@8.12.4",
    use: withServer(`
      const { request, Agent } = await load("undici");
      const dispatcher = new Agent();
      const { statusCode, body } = await request(url + "/u", { dispatcher });
      const { path } = await body.json();
      await dispatcher.close();
      return statusCode + " " + path;`),
    expect: "200 /u",
  },
  {
    requirement: "npm:got@16.1.0",
    use: withServer(`
      const { default: got } = await load("got");
      return (await got(url + "/g").json()).path;`),
    expect: "/g",
  },
  {
    requirement: "npm:esbuild@0.28.2",
    use: `
      const esbuild = await load("esbuild");
      const { code } = await esbuild.transform("let one: number = 1", { loader: "ts" });
      await esbuild.stop();
      return code.trim();`,
    expect: "let one = 1;",
  },
  {
    requirement: "npm:sharp@0.35.5",
    use: `
      const { default: sharp } = await load("sharp");
      const create = { width: 4, height: 2, channels: 3, background: "red" };
      const image = await sharp({ create }).png().toBuffer();
      const { format, width, height } = await sharp(image).metadata();
      return format + " " + width + "x" + height;`,
    expect: "png 4x2",
  },
  {
    requirement: "npm:ws@8.23.0",
    use: `
      const { WebSocket, WebSocketServer } = await load("ws");
      const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
      await new Promise((resolve) => server.on("listening", resolve));
      server.on("connection", (socket) => socket.on("message", (text) => socket.send("re: " + text)));
      const client = new WebSocket("ws://127.0.0.1:" + server.address().port);
      client.on("open", () => client.send("hello"));
      const text = await new Promise((resolve, reject) => {
        client.on("message", resolve);
        client.on("error", reject);
      });
      client.terminate();
      for (const socket of server.clients) socket.terminate();
      server.close();
      return String(text);`,
    expect: "re: hello",
  },
  {
    requirement: "npm:fastify@5.12.8",
    use: `
      const { default: fastify } = await load("fastify");
      const app = fastify();
      const answer = { type: "object", properties: { text: { type: "string" } } };
      app.get("/", { schema: { response: { 200: answer } } }, async () => ({ text: "hi", no: 1 }));
      const url = await app.listen({ host: "127.0.0.1", port: 0 });
      const text = await (await fetch(url)).text();
      await app.close();
      return text;`,
    expect: '{"text":"hi"}',
  },
  {
    requirement: "npm:typescript@5.9.3",
    use: `
      const ts = await load("typescript");
      const options = { compilerOptions: { target: ts.ScriptTarget.ES2022 } };
      return ts.transpileModule("let one: number = 1", options).outputText.trim();`,
    expect: "let one = 1;",
  },
  {
    requirement: "npm:react@19.3.1",
    use: `
      const { createElement, isValidElement } = await load("react");
      const { jsx } = await load("react/jsx-runtime");
      const element = jsx("p", { children: createElement("b", null, "hi") });
      return isValidElement(element) + " " + element.props.children.props.children;`,
    expect: "true hi",
  },
  {
    requirement: "npm:vite@8.3.8",
    use: `
      const { build } = await load("vite");
      const { mkdtemp, rm, writeFile } = await import("node:fs/promises");
      const { tmpdir } = await import("node:os");
      const root = await mkdtemp(tmpdir() + "/vite-");
      try {
        await writeFile(root + "/one.ts", "export const one: number = 1; export const unused = 3;");
        await writeFile(
          root + "/main.ts",
          'import { one } from "./one"; console.log(one + import.meta.env.MODE);',
        );
        const output = await build({
          root,
          configFile: false,
          logLevel: "silent",
          build: { write: false, minify: false, rollupOptions: { input: root + "/main.ts" } },
        });
        const { code } = output.output[0];
        return code.includes("production") + " " + code.includes("unused");
      } finally {
        await rm(root, { recursive: true });
      }`,
    expect: "true false",
  },
  {
    requirement: "npm:@sigstore/verify@4.1.3",
    use: `
      const { Verifier, toSignedEntity } = await load("@sigstore/verify");
      const { generateKeyPairSync, sign } = await import("node:crypto");
      const keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const artifact = Buffer.from("hello");
      const signature = sign("sha256", artifact, keys.privateKey);
      const bundle = {
        mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
        verificationMaterial: {
          content: { $case: "publicKey", publicKey: { hint: "key" } },
          tlogEntries: [],
          timestampVerificationData: { rfc3161Timestamps: [] },
        },
        content: {
          $case: "messageSignature",
          messageSignature: { messageDigest: { algorithm: 1, digest: Buffer.alloc(32) }, signature },
        },
      };
      const trust = {
        certificateAuthorities: [],
        timestampAuthorities: [],
        tlogs: [],
        ctlogs: [],
        publicKey: () => ({ publicKey: keys.publicKey, validFor: () => true }),
      };
      const verifier = new Verifier(trust, { ctlogThreshold: 0, tlogThreshold: 0, timestampThreshold: 0 });
      const verdict = (text) => {
        try {
          verifier.verify(toSignedEntity(bundle, Buffer.from(text)));
          return "good";
        } catch (error) {
          return error.code;
        }
      };
      return verdict("hello") + " " + verdict("other");`,
    expect: "good SIGNATURE_ERROR",
  },
  {
    requirement: "npm:tuf-js@6.0.2",
    use: `
      const { TargetFile } = await load("tuf-js");
      const { createHash } = await import("node:crypto");
      const { Readable } = await import("node:stream");
      const hashes = { sha256: createHash("sha256").update("hello").digest("hex") };
      const target = TargetFile.fromJSON("a.txt", { length: 5, hashes });
      await target.verify(Readable.from([Buffer.from("hello")]));
      return target.verify(Readable.from([Buffer.from("other")]))
        .then(() => "accepted", (error) => error.constructor.name);`,
    expect: "LengthOrHashMismatchError",
  },
  {
    requirement: "npm:pino@10.4.0",
    use: `
      const { default: pino } = await load("pino");
      let lines = "";
      const logger = pino({ base: null, timestamp: false }, { write: (line) => lines += line });
      logger.child({ part: "x" }).info({ a: 1 }, "hi");
      return lines.trim();`,
    expect: '{"level":30,"part":"x","a":1,"msg":"hi"}',
  },
  {
    requirement: "npm:winston@3.19.0",
    use: `
      const { createLogger, format, transports } = await load("winston");
      const { Writable } = await import("node:stream");
      let lines = "";
      const write = (chunk, encoding, done) => done(null, lines += chunk);
      const stream = new Writable({ write });
      const logger = createLogger({
        format: format.combine(format.splat(), format.simple()),
        transports: [new transports.Stream({ stream })],
      });
      const finished = new Promise((resolve) => logger.on("finish", resolve));
      logger.info("hello %s", "world");
      logger.end();
      await finished;
      return lines.trim();`,
    expect: "info: hello world",
  },
  {
    requirement: "npm:jsdom@31.0.1",
    use: `
      const { JSDOM } = await load("jsdom");
      const { window } = new JSDOM("<ul><li class=a>one<li>two</ul>");
      const text = window.document.querySelector("li:not(.a)").textContent;
      window.close();
      return text;`,
    expect: "two",
  },
  {
    requirement: "npm:axios@1.21.1",
    use: withServer(`
      const { default: axios } = await load("axios");
      const { data, status } = await axios.get(url + "/a", { params: { b: 1 } });
      return status + " " + data.path;`),
    expect: "200 /a?b=1",
  },
  {
    requirement: "npm:lodash@4.18.1",
    use: `
      const { default: _ } = await load("lodash");
      const get = (await load("lodash/get")).default;
      return JSON.stringify(_.chunk([1, 2, 3], 2)) + " " + get({ a: { b: 2 } }, "a.b");`,
    expect: "[[1,2],[3]] 2",
  },
  {
    requirement: "npm:commander@15.1.0",
    use: `
      const { Command } = await load("commander");
      const program = new Command().option("-p, --port <number>", "port", Number);
      return String(program.parse(["node", "program", "-p", "8080"]).opts().port);`,
    expect: "8080",
  },
  {
    requirement: "npm:date-fns@4.4.0",
    use: `
      const { addDays, format } = await load("date-fns");
      const { de } = await load("date-fns/locale/de");
      return format(addDays(new Date(2024, 1, 28), 2), "d. MMMM yyyy", { locale: de });`,
    expect: "1. März 2024",
  },
  {
    requirement: "npm:rxjs@7.8.2",
    use: `
      const { of, lastValueFrom } = await load("rxjs");
      const { map, toArray } = await load("rxjs/operators");
      const values = await lastValueFrom(of(1, 2, 3).pipe(map((value) => value * 2), toArray()));
      return values.join();`,
    expect: "2,4,6",
  },
  {
    requirement: "npm:uuid@14.0.3",
    use: `
      const { v5, validate, v4 } = await load("uuid");
      return v5("example.org", v5.DNS) + " " + validate(v4());`,
    expect: "aad03681-8b63-5304-89e0-8ca8f49461b5 true",
  },
  {
    requirement: "npm:nanoid@6.0.2",
    use: `
      const { nanoid, customAlphabet } = await load("nanoid");
      return nanoid().length + " " + customAlphabet("a", 3)();`,
    expect: "21 aaa",
  },
  {
    requirement: "npm:minimatch@11.0.9",
    use: `
      const { minimatch } = await load("minimatch");
      return minimatch("lib/a/b.ts", "lib/**/*.{js,ts}") + " " + minimatch("a.md", "*.ts");`,
    expect: "true false",
  },
  {
    requirement: "npm:glob@14.0.6",
    use: `
      const { glob } = await load("glob");
      const { mkdtemp, mkdir, rm, writeFile } = await import("node:fs/promises");
      const { tmpdir } = await import("node:os");
      const cwd = await mkdtemp(tmpdir() + "/glob-");
      try {
        await mkdir(cwd + "/a/b", { recursive: true });
        await writeFile(cwd + "/a/b/c.txt", "");
        await writeFile(cwd + "/a/d.md", "");
        return (await glob("**/*.txt", { cwd, posix: true })).join();
      } finally {
        await rm(cwd, { recursive: true });
      }`,
    expect: "a/b/c.txt",
  },
  {
    requirement: "npm:prettier@3.10.1",
    use: `
      const { format } = await load("prettier");
      return JSON.stringify(await format("a  =  {b:1}", { parser: "babel" }));`,
    expect: '"a = { b: 1 };\\n"',
  },
];
