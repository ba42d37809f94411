/** XML from strangers: no DOCTYPE, no entities but the five and numbers, a limit on size and depth, and then a tree of plain values. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { Problem } from '../domain/problem.ts';

/** Far above any annotation of one image. */
const longestText = 16 * 1024 * 1024;

/** An element's children by name, in order, and its own text. */
export interface XmlNode {
  readonly text: string;
  readonly children: ReadonlyMap<string, readonly XmlNode[]>;
}

// Entities are decoded here and not by the parser, whose own limits have failed before.
const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  parseTagValue: false,
  trimValues: false,
  processEntities: false,
  cdataPropName: '#cdata',
});

/** The validator tells the tags that are left open as a printed list. */
function inWords(message: string): string {
  const open = /^Invalid '(\[[\s\S]*\])' found\.$/.exec(message)?.[1];
  const names: unknown = open === undefined ? null : JSON.parse(open);
  return Array.isArray(names) ? `it ends before ${names.join(', ')} are closed.` : message;
}

/** The root element of that name. Throws a Problem naming the file where the text is not well-formed XML or holds a DOCTYPE. */
export function parseXml(text: string, file: string, rootName: string): XmlNode {
  if (/<!(?:DOCTYPE|ENTITY)/i.test(text)) {
    throw new Problem(
      'bad-input',
      `${file}: DOCTYPE not allowed: it can make a reader fetch files or fill the memory.`,
      'Remove the DOCTYPE from the file and import again.',
    );
  }
  if (text.length > longestText) {
    throw new Problem(
      'bad-input',
      `${file} is larger than 16 MiB of XML.`,
      'Split it into one file an image.',
    );
  }
  const valid = XMLValidator.validate(text);
  if (valid !== true) {
    throw new Problem(
      'bad-input',
      `${file} is not well-formed XML: line ${valid.err.line}: ${inWords(valid.err.msg)}`,
      'Correct the file or export it again from the tool that wrote it.',
    );
  }
  const root = tree(parse(text, file)).children.get(rootName)?.[0];
  if (root) return root;
  throw new Problem(
    'bad-input',
    `${file} holds no <${rootName}>.`,
    'Choose the folder with the annotations, or another format.',
  );
}

function parse(text: string, file: string): unknown {
  try {
    return parser.parse(text);
  } catch (error) {
    throw new Problem(
      'bad-input',
      `${file} could not be read as XML.`,
      'Correct the file or export it again from the tool that wrote it.',
      String(error),
    );
  }
}

/** The parser's ordered list of one-key objects as a tree. */
function tree(content: unknown): XmlNode {
  const children = new Map<string, XmlNode[]>();
  let text = '';
  for (const item of Array.isArray(content) ? content : []) {
    for (const [name, value] of Object.entries(item as Record<string, unknown>)) {
      if (name === '#text') text += decodeEntities(String(value));
      else if (name === '#cdata') text += cdata(value);
      else if (name !== ':@') childrenNamed(children, name).push(tree(value));
    }
  }
  return { text, children };
}

function childrenNamed(children: Map<string, XmlNode[]>, name: string): XmlNode[] {
  const nodes = children.get(name) ?? [];
  children.set(name, nodes);
  return nodes;
}

function cdata(value: unknown): string {
  const parts = Array.isArray(value) ? value : [];
  return parts.map((part) => String((part as Record<string, unknown>)['#text'] ?? '')).join('');
}

const named: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(lt|gt|amp|quot|apos));/gi,
    (whole, decimal, hex, name) => {
      if (name) return named[String(name).toLowerCase()] ?? whole;
      const code = decimal ? Number.parseInt(decimal, 10) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** The trimmed text of the first direct child of that name, or null. */
export function childText(node: XmlNode, name: string): string | null {
  return node.children.get(name)?.[0]?.text.trim() ?? null;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Text for an XML element: markup escaped, characters XML 1.0 cannot hold replaced by U+FFFD. */
export function escapeXml(text: string): string {
  return [...text]
    .map((char) => (isXmlChar(char.codePointAt(0)!) ? char : '\ufffd'))
    .join('')
    .replace(/[&<>"']/g, (char) => escapes[char]!);
}

/** Production [2] of XML 1.0, and no carriage return, which a reader would turn into a line feed. */
function isXmlChar(code: number): boolean {
  if (code < 0x20) return code === 0x9 || code === 0xa;
  return code < 0xd800 || (code > 0xdfff && code < 0xfffe) || code > 0xffff;
}
