import ts from 'typescript';
import { addElement, propertyNames } from './add-element.ts';
import { edited, find, findCall, parse } from './source.ts';

/** The name that the result of a call has: of `const db = …`, and of `const [db] = […]`. */
function resultName(call: ts.CallExpression): string | undefined {
  const { parent } = call;
  if (ts.isVariableDeclaration(parent) && ts.isIdentifier(parent.name)) return parent.name.text;
  if (!ts.isArrayLiteralExpression(parent) || !ts.isVariableDeclaration(parent.parent) || !ts.isArrayBindingPattern(parent.parent.name)) return undefined;
  const element = parent.parent.name.elements[parent.elements.indexOf(call)];
  return element && ts.isBindingElement(element) && ts.isIdentifier(element.name) ? element.name.text : undefined;
}

/** What the first call of `callee` answers, by the name that it has: `db` for `const db = postgres(…)`. */
export function nameOfResult(text: string, callee: string): string | undefined {
  const call = findCall(parse(text), callee);
  return call && resultName(call);
}

/** The statement of a main file that a node is part of. */
function statementOf(node: ts.Node): ts.Node {
  let at = node;
  while (!ts.isSourceFile(at.parent)) at = at.parent;
  return at;
}

/** The text with a line behind the statement that calls `callee`. */
export function addAfterCall(text: string, callee: string, line: string): string | undefined {
  const call = findCall(parse(text), callee);
  if (!call) return undefined;
  const at = statementOf(call).getEnd();
  return edited(text, [{ start: at, end: at, text: `\n${line}` }]);
}

/** The text with a line before the statement that calls `.run()`, with which a main file ends. */
export function addBeforeRun(text: string, line: string): string | undefined {
  const source = parse(text);
  const call = find(source, (node) => (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && node.expression.name.text === 'run' ? node : undefined));
  if (!call) return undefined;
  const at = statementOf(call).getStart(source);
  return edited(text, [{ start: at, end: at, text: `${line}\n` }]);
}

/** The text with an option of `createService`; the option stays if it is there. Undefined if there is no such call. */
export function addOption(text: string, name: string, value: string): string | undefined {
  const source = parse(text);
  const [options] = findCall(source, 'createService')?.arguments ?? [];
  if (!options || !ts.isObjectLiteralExpression(options)) return undefined;
  if (propertyNames(options).has(name)) return text;
  return edited(text, [addElement(source, options, name === value ? name : `${name}: ${value}`)]);
}

/** The text with an element of the list that an option of `createService` is, or with the option. Undefined if it is no list. */
export function addToListOption(text: string, name: string, element: string): string | undefined {
  const source = parse(text);
  const [options] = findCall(source, 'createService')?.arguments ?? [];
  if (!options || !ts.isObjectLiteralExpression(options)) return undefined;
  const property = options.properties.find((each) => each.name && ts.isIdentifier(each.name) && each.name.text === name);
  if (!property) return addOption(text, name, `[${element}]`);
  if (!ts.isPropertyAssignment(property) || !ts.isArrayLiteralExpression(property.initializer)) return undefined;
  return edited(text, [addElement(source, property.initializer, element)]);
}

/** Whether the first call of `later` stands in a statement behind the one that calls `earlier`. */
export function isBehind(text: string, later: string, earlier: string): boolean {
  const source = parse(text);
  const [first, second] = [earlier, later].map((name) => findCall(source, name));
  return first !== undefined && second !== undefined && statementOf(first).getEnd() <= statementOf(second).getStart(source);
}

/** The text with the first call of `callee` as the first argument of `wrapper`: `wrapper(callee(db), …more)`. */
export function wrapCall(text: string, callee: string, wrapper: string, more: readonly string[]): string | undefined {
  const source = parse(text);
  const call = findCall(source, callee);
  if (!call) return undefined;
  if (ts.isCallExpression(call.parent) && ts.isIdentifier(call.parent.expression) && call.parent.expression.text === wrapper) return text;
  return edited(text, [{ start: call.getStart(source), end: call.getEnd(), text: `${wrapper}(${[call.getText(source), ...more].join(', ')})` }]);
}

/** The text with a statement at the end of the function `name`. Undefined if there is no such function. */
export function addToFunction(text: string, name: string, statement: string): string | undefined {
  const source = parse(text);
  const found = source.statements.find((each): each is ts.FunctionDeclaration => ts.isFunctionDeclaration(each) && each.name?.text === name);
  if (!found?.body) return undefined;
  const close = found.body.getEnd() - 1;
  return edited(text, [{ start: close, end: close, text: `  ${statement}\n` }]);
}

/** The text with a property of the object that the function `name` answers. Undefined if it answers none, or has the property. */
export function addToAnswer(text: string, name: string, property: string, value: string): string | undefined {
  const source = parse(text);
  const found = source.statements.find((each): each is ts.FunctionDeclaration => ts.isFunctionDeclaration(each) && each.name?.text === name);
  const answer = found?.body?.statements.filter(ts.isReturnStatement).at(-1)?.expression;
  if (!answer || !ts.isObjectLiteralExpression(answer) || propertyNames(answer).has(property)) return undefined;
  return edited(text, [addElement(source, answer, value)]);
}
