import ts from 'typescript';

/** A change of a text: what stands between `start` and `end` becomes `text`. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The syntax tree of a TypeScript file. */
export function parse(text: string): ts.SourceFile {
  return ts.createSourceFile('file.ts', text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);
}

/** The text with all edits made. */
export function edited(text: string, edits: readonly Edit[]): string {
  return [...edits].sort((a, b) => b.start - a.start).reduce((result, { start, end, text: now }) => result.slice(0, start) + now + result.slice(end), text);
}

/** The first node, in the order of the text, for which `test` answers something. */
export function find<T>(node: ts.Node, test: (node: ts.Node) => T | undefined): T | undefined {
  return test(node) ?? ts.forEachChild(node, (child) => find(child, test));
}

/** The first call of the function `name`, such as `createService(…)`. */
export function findCall(source: ts.SourceFile, name: string): ts.CallExpression | undefined {
  return find(source, (node) => (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && node.expression.text === name ? node : undefined));
}

/** What stands in front of the first character of a node's line. */
export function indentOf(source: ts.SourceFile, node: ts.Node): string {
  const start = node.getStart(source);
  const line = source.text.lastIndexOf('\n', start - 1) + 1;
  return /^\s*/.exec(source.text.slice(line, start))?.[0] ?? '';
}
