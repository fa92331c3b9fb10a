/**
 * XML, read strictly: what is cut short or not well formed is an error and never half a value.
 *
 * @module
 */

/** An element: names are without the prefix of their namespace, which differs between servers. */
export interface XmlElement {
  name: string;
  children: XmlElement[];
  /** Its own text, without that of its children. */
  text: string;
}

/** A text that is no XML; the message says what was found. */
export class XmlError extends Error {}

/**
 * The root element of a document. Entities that a document defines itself are not expanded.
 *
 * @throws {XmlError}
 */
export async function readXml(text: string): Promise<XmlElement> {
  const { parseXml } = await import("npm:@rgrove/parse-xml@5.0.0");
  let root: ParsedElement | null;
  try {
    root = parseXml(text).root as ParsedElement | null;
  } catch (error) {
    // The parser shows the lines around; the first line of its message has all that is needed.
    throw new XmlError((error as Error).message.split("\n")[0], { cause: error });
  }
  if (root === null) throw new XmlError("found no element");
  return elementOf(root);
}

/** What the parser gives, as far as it is used. */
interface ParsedElement {
  name: string;
  children: (ParsedElement | { text: string } | { content: string })[];
}

/** In one pass: a listing has thousands of elements. */
function elementOf({ name, children }: ParsedElement): XmlElement {
  const element: XmlElement = { name: name.slice(name.indexOf(":") + 1), children: [], text: "" };
  for (const child of children) {
    if ("children" in child) element.children.push(elementOf(child));
    else if ("text" in child) element.text += child.text;
  }
  return element;
}

/** The text of the first child of that name; `null` when there is none. */
export function childText(element: XmlElement, name: string): string | null {
  return element.children.find((child) => child.name === name)?.text ?? null;
}
