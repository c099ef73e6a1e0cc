import ts from 'typescript';
import { indentOf, type Edit } from './source.ts';

/** Adds a property to an object, or an element to a list, as the last one: on its own lines if the others have theirs. */
export function addElement(source: ts.SourceFile, to: ts.ObjectLiteralExpression | ts.ArrayLiteralExpression, element: string): Edit {
  const elements: ts.NodeArray<ts.Node> = ts.isObjectLiteralExpression(to) ? to.properties : to.elements;
  const last = elements.at(-1);
  const close = to.getEnd() - 1;
  const ownLines = last === undefined ? to.getText(source).includes('\n') : source.text.slice(to.getStart(source), last.getStart(source)).includes('\n');
  if (!ownLines) {
    const space = ts.isObjectLiteralExpression(to) ? ' ' : '';
    const inner = last === undefined ? `${space}${element}${space}` : `, ${element}${space}`;
    return { start: last === undefined ? to.getStart(source) + 1 : last.getEnd(), end: close, text: inner };
  }
  const indent = last ? indentOf(source, last) : `${indentOf(source, to)}  `;
  const indented = element.replaceAll(/\n(?=.)/g, `\n${indent}`);
  const end = elements.hasTrailingComma ? elements.end : (last?.getEnd() ?? to.getStart(source) + 1);
  return { start: end, end, text: `${last === undefined || elements.hasTrailingComma ? '' : ','}\n${indent}${indented},` };
}

/** The properties that an object has, by their names. */
export function propertyNames(object: ts.ObjectLiteralExpression): ReadonlySet<string> {
  return new Set(object.properties.flatMap(({ name }) => (name && (ts.isIdentifier(name) || ts.isStringLiteral(name)) ? [name.text] : [])));
}
