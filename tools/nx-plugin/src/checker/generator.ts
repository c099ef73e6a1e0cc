import { posix } from 'node:path';
import type { GeneratorCallback, Tree } from '@nx/devkit';
import { finish } from '../finish/finish.ts';
import { GeneratorError } from '../generator-error.ts';
import { checkKebab } from '../naming/check-name.ts';
import { formsOf } from '../naming/names.ts';
import { addImport } from '../typescript/add-import.ts';
import { addToListOption, nameOfResult } from '../typescript/main-file.ts';
import { addDependencies } from '../workspace/dependencies.ts';
import { findApp, sourcesBelow } from '../workspace/find.ts';
import { readWorkspace } from '../workspace/workspace.ts';
import { httpChecker, httpCheckerTest, storageChecker, storageCheckerTest, tablesIn, type CheckerContext, type Kept } from './code.ts';

/** The options of `nx g checker`. */
export interface CheckerGeneratorOptions {
  /** What it looks at, kebab-case: `exchange-rates`. */
  readonly name: string;
  /** The app that it is part of. */
  readonly project: string;
  /** What it asks over HTTP. Default: it asks the app's database. */
  readonly url?: string;
  /** Whether the instance gets no calls while it fails. Default false. */
  readonly critical?: boolean;
}

/** Those that come with storage, messaging and the registry. */
const BUILT_IN = ['etcd', 'outbox', 'postgres'];

function checkedUrl(url: string): string {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '' || /['\\]/.test(url)) {
    throw new GeneratorError(`"${url}" is nothing to ask: give an http or https URL without credentials, such as https://example.com/health.`);
  }
  return parsed.href;
}

/** What the app keeps. Throws a `GeneratorError` if its code does not say so as that of other services does. */
function keptBy(tree: Tree, folder: string): Kept {
  const sources = sourcesBelow(tree, `${folder}/src`).map((file) => ({ file: posix.relative(`${folder}/src/logic`, file), text: tree.read(file, 'utf8') ?? '' }));
  const migrations = sources.find(({ text }) => /export const migrations\b/.test(text))?.file;
  const tables = sources.find(({ text }) => tablesIn(text) !== undefined);
  if (migrations === undefined || !tables) throw new GeneratorError(`${folder}/src exports no migrations, or no interface Tables: see what "npx nx g service invoice" writes, or say with --url what the checker is to ask.`);
  return { tables: relativeImport(tables.file), first: tablesIn(tables.text)?.[0], migrations: relativeImport(migrations) };
}

const relativeImport = (path: string): string => (path.startsWith('.') ? path : `./${path}`);

/**
 * Writes a health checker with a test, and wires it in main. It asks a URL, or the app's own database. Throws a `GeneratorError`,
 * before anything is written, for a name that is taken and an app that has nothing to ask.
 */
export async function checkerGenerator(tree: Tree, options: CheckerGeneratorOptions): Promise<GeneratorCallback> {
  const { name, url, critical = false } = options;
  checkKebab('a checker', name, 'exchange-rates');
  if (name.endsWith('-checker')) throw new GeneratorError(`Leave out "-checker": "${name.slice(0, -'-checker'.length)}" becomes ${name}.ts by itself.`);
  if (BUILT_IN.includes(name)) throw new GeneratorError(`Every service has a checker "${name}" already: choose another name.`);
  const workspace = readWorkspace(tree);
  const app = findApp(workspace, options.project);
  const { folder } = app;
  const file = `${folder}/src/logic/${name}-checker.ts`;
  if (tree.exists(file)) throw new GeneratorError(`${file} is there already: choose another name.`);
  const forms = formsOf(name);
  const context: CheckerContext = { forms, critical, service: app.manifest.talaria?.service ?? app.name };

  const main = `${folder}/src/main.ts`;
  const before = tree.read(main, 'utf8') ?? '';
  const db = nameOfResult(before, 'postgres');
  if (url === undefined && db === undefined) throw new GeneratorError(`${app.name} keeps nothing in a database: say with --url what the checker is to ask.`);
  // What asks over HTTP has connections of its own, and so is a capability.
  const option = url === undefined ? 'checkers' : 'capabilities';
  const after = addToListOption(before, option, `${forms.camel}Checker(${url === undefined ? db : ''})`);
  if (after === undefined) throw new GeneratorError(`${main} has no "createService({ … })" whose ${option} are a list: write ${option}: [] there.`);

  if (url === undefined) {
    const kept = keptBy(tree, folder);
    tree.write(file, storageChecker(context, kept));
    tree.write(file.replace(/\.ts$/, '.test.ts'), storageCheckerTest(context, kept));
  } else {
    tree.write(file, httpChecker(context, checkedUrl(url)));
    tree.write(file.replace(/\.ts$/, '.test.ts'), httpCheckerTest(context));
  }
  // One line of main imports all of them.
  const all = `${folder}/src/logic/checkers.ts`;
  const there = tree.exists(all) ? (tree.read(all, 'utf8') ?? '') : '';
  tree.write(all, `${there}export { ${forms.camel}Checker } from './${name}-checker.ts';\n`);
  tree.write(main, addImport(after, './logic/checkers.ts', [`${forms.camel}Checker`]));
  const install = addDependencies(tree, workspace, app, [url === undefined ? '@talaria/testing' : '@talaria/http']);
  return finish(tree, { ...(install ? { install: app.name } : {}), then: `Say in ${file} what has to be well.` });
}
