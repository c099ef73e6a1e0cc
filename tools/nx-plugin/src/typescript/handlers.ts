import ts from 'typescript';
import { find, parse } from './source.ts';

/** The implementation of a contract, in a file. */
export interface Handlers {
  /** The function that makes it, or the constant that it is: `invoiceHandlers`. */
  readonly name: string;
  /** How many parameters the function has; undefined for a constant. */
  readonly parameters: number | undefined;
  /** Its methods. */
  readonly object: ts.ObjectLiteralExpression;
  readonly source: ts.SourceFile;
}

/** `ServiceImplementation<InvoiceServiceDefinition>`, also with `typeof`. */
function implementsContract(type: ts.TypeNode | undefined, definition: string): boolean {
  if (!type || !ts.isTypeReferenceNode(type) || !ts.isIdentifier(type.typeName) || type.typeName.text !== 'ServiceImplementation') return false;
  const [argument] = type.typeArguments ?? [];
  if (argument && ts.isTypeQueryNode(argument)) return argument.exprName.getText() === definition;
  return argument?.getText() === definition;
}

/** The object that a function answers at its end. */
function answered(body: ts.ConciseBody | undefined): ts.ObjectLiteralExpression | undefined {
  if (!body) return undefined;
  if (!ts.isBlock(body)) return unwrapped(body);
  const last = body.statements.filter(ts.isReturnStatement).at(-1);
  return last?.expression && unwrapped(last.expression);
}

function unwrapped(expression: ts.Expression): ts.ObjectLiteralExpression | undefined {
  if (ts.isParenthesizedExpression(expression) || ts.isSatisfiesExpression(expression) || ts.isAsExpression(expression)) return unwrapped(expression.expression);
  return ts.isObjectLiteralExpression(expression) ? expression : undefined;
}

/** The implementation of the contract whose definition is called `definition`; undefined if this file has none that can be added to. */
export function findHandlers(text: string, definition: string): Handlers | undefined {
  const source = parse(text);
  return find(source, (node): Handlers | undefined => {
    if (ts.isFunctionDeclaration(node) && node.name && implementsContract(node.type, definition)) {
      const object = answered(node.body);
      return object && { name: node.name.text, parameters: node.parameters.length, object, source };
    }
    if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name) || !node.initializer) return undefined;
    if (ts.isArrowFunction(node.initializer) && implementsContract(node.initializer.type, definition)) {
      const object = answered(node.initializer.body);
      return object && { name: node.name.text, parameters: node.initializer.parameters.length, object, source };
    }
    if (!implementsContract(node.type, definition)) return undefined;
    const object = unwrapped(node.initializer);
    return object && { name: node.name.text, parameters: undefined, object, source };
  });
}
