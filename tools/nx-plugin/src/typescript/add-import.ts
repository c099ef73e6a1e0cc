import ts from 'typescript';
import { edited, parse } from './source.ts';

interface Named {
  readonly name: string;
  readonly type: boolean;
}

const nameOf = (wanted: string): Named => (wanted.startsWith('type ') ? { name: wanted.slice(5), type: true } : { name: wanted, type: false });

function importsFrom(source: ts.SourceFile, module: string): readonly ts.ImportDeclaration[] {
  return source.statements.filter((statement): statement is ts.ImportDeclaration => ts.isImportDeclaration(statement) && ts.isStringLiteral(statement.moduleSpecifier) && statement.moduleSpecifier.text === module);
}

/** Packages first, then what is further away; each in alphabetical order. */
function rank(module: string): string {
  const kind = module.startsWith('node:') ? 0 : module.startsWith('../') ? 2 : module.startsWith('.') ? 3 : 1;
  return `${kind} ${module}`;
}

/** Among the imports where it belongs if they are in order, and before everything else if there is none. */
function insert(source: ts.SourceFile, text: string, module: string, line: string): string {
  const imports = source.statements.filter(ts.isImportDeclaration);
  const next = imports.find(({ moduleSpecifier }) => ts.isStringLiteral(moduleSpecifier) && rank(moduleSpecifier.text) > rank(module));
  const last = imports.at(-1);
  if (next) return edited(text, [{ start: next.getStart(source), end: next.getStart(source), text: `${line}\n` }]);
  const at = last?.getEnd() ?? 0;
  return edited(text, [{ start: at, end: at, text: last ? `\n${line}` : `${line}\n\n` }]);
}

/** The text with `wanted` (`postgres`, `type Postgres`) imported from `module`; what is imported already stays as it is. */
export function addImport(text: string, module: string, wanted: readonly string[]): string {
  const source = parse(text);
  const clauses = importsFrom(source, module).flatMap(({ importClause }) => (importClause ? [importClause] : []));
  const lists = clauses.flatMap((clause) => (clause.namedBindings && ts.isNamedImports(clause.namedBindings) ? [{ clause, list: clause.namedBindings }] : []));
  const there = new Map(lists.flatMap(({ clause, list }) => list.elements.map((element) => [element.name.text, { element, type: element.isTypeOnly || clause.phaseModifier === ts.SyntaxKind.TypeKeyword }] as const)));
  const edits = wanted.map(nameOf).flatMap(({ name, type }) => {
    const found = there.get(name);
    // Imported as a type, and wanted as a value.
    if (found?.type && !type && found.element.isTypeOnly) return [{ start: found.element.getStart(source), end: found.element.name.getStart(source), text: '' }];
    return [];
  });
  const missing = wanted.filter((each) => !there.has(nameOf(each).name));
  const open = lists.find(({ clause }) => clause.phaseModifier !== ts.SyntaxKind.TypeKeyword)?.list;
  if (missing.length > 0 && open) {
    const all = [...open.elements.map((element) => element.getText(source)), ...missing].sort((a, b) => compare(nameOf(a), nameOf(b)));
    const kept = edits.length > 0 ? all.map((each) => (wanted.includes(nameOf(each).name) ? nameOf(each).name : each)) : all;
    return edited(text, [{ start: open.getStart(source), end: open.getEnd(), text: `{ ${kept.join(', ')} }` }]);
  }
  const done = edited(text, edits);
  return missing.length > 0 ? insert(parse(done), done, module, `import { ${missing.join(', ')} } from '${module}';`) : done;
}

/** The text with `name` imported as the default of `module`. */
export function addDefaultImport(text: string, module: string, name: string): string {
  const source = parse(text);
  if (importsFrom(source, module).some(({ importClause }) => importClause?.name?.text === name)) return text;
  return insert(source, text, module, `import ${name} from '${module}';`);
}

/** Types behind values, each in alphabetical order. */
const compare = (a: Named, b: Named): number => Number(a.type) - Number(b.type) || a.name.toLowerCase().localeCompare(b.name.toLowerCase(), 'en');
