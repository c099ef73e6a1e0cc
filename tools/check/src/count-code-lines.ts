import ts from 'typescript';

/** How many lines of a TypeScript source hold code: neither blank nor nothing but comment. Each line of a text that spans several counts. */
export function countCodeLines(source: string): number {
  const lines = new Set<number>();
  const file = ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
  const visit = (node: ts.Node): void => {
    const children = node.getChildren(file);
    // Comments belong to no token.
    if (children.length === 0 && node.getWidth(file) > 0) {
      const last = file.getLineAndCharacterOfPosition(node.getEnd()).line;
      for (let { line } = file.getLineAndCharacterOfPosition(node.getStart(file)); line <= last; line++) lines.add(line);
    }
    // Where JSDoc is part of the tree.
    for (const child of children) if (!ts.isJSDoc(child)) visit(child);
  };
  visit(file);
  return lines.size;
}
