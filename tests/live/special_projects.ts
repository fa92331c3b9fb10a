/**
 * Real npm projects of the kinds that need more than their own archive.
 *
 * @module
 */

import type { Project } from "./projects.ts";

/** One project of each kind. */
export const SPECIAL_PROJECTS: Project[] = [
  // A peer dependency: it must use the same copy of react that is imported beside it.
  {
    requirement: "npm:react-dom@19.3.1",
    use: `
      const { createElement } = (await load("react")).default;
      const { renderToStaticMarkup } = await load("react-dom/server");
      return renderToStaticMarkup(createElement("b", null, "hello"));`,
    expect: "<b>hello</b>",
  },
  // Dependencies inside its own archive.
  {
    requirement: "npm:@aws-cdk/cloud-assembly-schema@55.6.0",
    use: `
      const { Manifest } = await load("@aws-cdk/cloud-assembly-schema");
      return String(Manifest.version().startsWith("55."));`,
    expect: "true",
  },
  // Dependencies under other names: "string-width-cjs" is "npm:string-width@^4.2.0".
  {
    requirement: "npm:@isaacs/cliui@8.0.2",
    use: `
      const { default: cliui } = await load("@isaacs/cliui");
      const ui = cliui({ width: 20 });
      ui.div({ text: "left", width: 10 }, { text: "right", width: 10 });
      return ui.toString();`,
    expect: "left      right",
  },
  // Scoped, only types, and an archive whose top folder is not "package".
  {
    requirement: "npm:@types/node@24.10.1",
    use: `
      const { default: manifest } = await load("@types/node/package.json");
      try {
        await load("@types/node");
      } catch (error) {
        return manifest.name + " " + error.code;
      }`,
    expect: "@types/node entry-missing",
  },
];
