import type { GeneratorCallback, Tree } from '@nx/devkit';
import { finish } from '../finish/finish.ts';
import { GeneratorError } from '../generator-error.ts';
import { kebabOf } from '../method/plan.ts';
import { formsOf } from '../naming/names.ts';
import { addImport } from '../typescript/add-import.ts';
import { addAfterCall, addBeforeRun, addOption, addToFunction, nameOfResult } from '../typescript/main-file.ts';
import { addDependencies } from '../workspace/dependencies.ts';
import { findApp, sourcesBelow } from '../workspace/find.ts';
import { readWorkspace, type Project, type Workspace } from '../workspace/workspace.ts';
import type { EventContext } from './context.ts';
import { writePublisher } from './publish.ts';
import { subscriber, subscriberTest, subscription, subscriptions } from './subscriber.ts';

/** The options of `nx g event`. */
export interface EventGeneratorOptions {
  /** Lower-case words with dots between them, what happened at the end: `invoice.created`. */
  readonly type: string;
  /** The app that publishes it. Default: the service named after its first word, `invoice-service`. */
  readonly project?: string;
  /** The app that subscribes to it. Default: the one that publishes it. */
  readonly subscriber?: string;
}

/** As `@talaria/messaging` wants it. */
const TYPE = /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$/;

const mainOf = ({ folder }: Project): string => `${folder}/src/main.ts`;
const read = (tree: Tree, file: string): string => tree.read(file, 'utf8') ?? '';

/** The message that the event carries: the one that its first word names. */
function messageOf({ protos, contracts }: Workspace, type: string, { manifest, name }: Project): { readonly message: string; readonly module: string } {
  const wanted = formsOf((type.split('.')[0] ?? '').replaceAll('_', '-'));
  // `pdf_file` is PdfFile or PDFFile.
  const names = (message: string): boolean => message === wanted.pascal || kebabOf(message) === wanted.kebab;
  const served = protos.filter(({ services }) => services.some(({ contract }) => manifest.talaria?.contracts?.includes(contract)));
  const [found] = served.flatMap((proto) => proto.types.filter((each) => names(each.name)).map(({ name: message }) => ({ proto, message })));
  if (!found) {
    throw new GeneratorError(`The contracts of ${name} have no message ${wanted.pascal}, which ${type} would carry: name the event after a message (${served.flatMap(({ types }) => types).filter((each) => !/(Request|Response)$/.test(each.name)).map((each) => kebabOf(each.name).replaceAll('-', '_')).join(', ') || 'there is none'}), or the service that has it by --project.`);
  }
  return { message: found.message, module: `${contracts.name}/${found.proto.path.replace(/^proto\//, '').replace(/\.proto$/, '')}` };
}

/** Main with messaging, which needs storage. */
function withMessaging(tree: Tree, app: Project): string {
  const file = mainOf(app);
  const before = read(tree, file);
  const wrong = (why: string): GeneratorError => new GeneratorError(`${file} ${why}: see what "npx nx g service invoice" writes.`);
  const db = nameOfResult(before, 'postgres');
  if (db === undefined) throw wrong('keeps nothing in a database, which events need ("const db = postgres(…)" is missing)');
  let main = before;
  if (nameOfResult(main, 'messaging') === undefined) main = addAfterCall(addImport(main, '@talaria/messaging', ['messaging']), 'postgres', `const events = messaging({ storage: ${db} });`) ?? main;
  const added = addOption(main, 'messaging', nameOfResult(main, 'messaging') ?? 'events');
  if (added === undefined) throw wrong('makes no service ("createService({ … })" is missing)');
  return added;
}

function writeSubscriber(tree: Tree, app: Project, before: string, context: EventContext): string {
  const { folder } = app;
  const logic = `${folder}/src/logic`;
  tree.write(`${logic}/on-${context.forms.kebab}.ts`, subscriber(context));
  tree.write(`${logic}/on-${context.forms.kebab}.test.ts`, subscriberTest(context));
  const file = `${logic}/subscriptions.ts`;
  if (tree.exists(file)) {
    const added = addToFunction(read(tree, file), 'subscribe', subscription(context));
    if (added === undefined) throw new GeneratorError(`${file} has no function subscribe(events, log): add one, or remove the file.`);
    tree.write(file, addImport(added, `./on-${context.forms.kebab}.ts`, [`on${context.forms.pascal}`]));
  } else tree.write(file, subscriptions(context));
  if (/\bsubscribe\(events?\b/.test(before) && before.includes("'./logic/subscriptions.ts'")) return before;
  const service = nameOfResult(before, 'createService') ?? 'service';
  const called = addBeforeRun(before, `subscribe(${nameOfResult(before, 'messaging') ?? 'events'}, ${service}.log);`);
  if (called === undefined) throw new GeneratorError(`${mainOf(app)} does not end with "await service.run()": see what "npx nx g service invoice" writes.`);
  return addImport(called, './logic/subscriptions.ts', ['subscribe']);
}

/** The file of an app that publishes events of this type, if there is one. */
function publishes(tree: Tree, { apps }: Workspace, type: string): string | undefined {
  return apps.flatMap(({ folder }) => sourcesBelow(tree, `${folder}/src`)).find((file) => new RegExp(`publish\\(\\s*['"]${type.replaceAll('.', '\\.')}['"]`).test(read(tree, file)));
}

/**
 * Writes what publishes an event, in the transaction of the change that it tells of, and what handles it, with tests, and wires
 * both. For an event that is published already it writes another subscriber. Throws a `GeneratorError`, before anything is written.
 */
export async function eventGenerator(tree: Tree, options: EventGeneratorOptions): Promise<GeneratorCallback> {
  const { type } = options;
  if (!TYPE.test(type)) throw new GeneratorError(`"${type}" is no type of event: lower-case words with dots between them, what happened at the end, such as invoice.created.`);
  const workspace = readWorkspace(tree);
  const publisher = findApp(workspace, options.project ?? `${(type.split('.')[0] ?? '').replaceAll('_', '-')}-service`);
  const subscribing = findApp(workspace, options.subscriber ?? publisher.name);
  const forms = formsOf(type.replaceAll(/[._]/g, '-'));
  const context: EventContext = { type, forms, ...messageOf(workspace, type, publisher), source: publisher.manifest.talaria?.service ?? publisher.name };

  const known = publishes(tree, workspace, type);
  if (known !== undefined && options.subscriber === undefined) throw new GeneratorError(`${type} is published already, in ${known}: name who else is to hear of it by --subscriber, or choose another type.`);
  const heard = sourcesBelow(tree, `${subscribing.folder}/src`).find((file) => new RegExp(`subscribe\\(\\s*['"]${type.replaceAll('.', '\\.')}['"]`).test(read(tree, file)));
  if (heard !== undefined) throw new GeneratorError(`${subscribing.name} subscribes to ${type} already, in ${heard}: choose another type, or another --subscriber.`);
  const taken = [known === undefined ? `${publisher.folder}/src/logic/${forms.kebab}.ts` : '', `${subscribing.folder}/src/logic/on-${forms.kebab}.ts`].find((file) => file !== '' && tree.exists(file));
  if (taken !== undefined) throw new GeneratorError(`${taken} is there already: choose another type, or remove that file first.`);

  let wired = true;
  if (known === undefined) {
    const written = writePublisher(tree, publisher, withMessaging(tree, publisher), context);
    wired = written.wired;
    tree.write(mainOf(publisher), written.main);
  }
  tree.write(mainOf(subscribing), writeSubscriber(tree, subscribing, withMessaging(tree, subscribing), context));
  const needed = ['@talaria/messaging', '@talaria/testing'];
  const installs = [...new Set([publisher, subscribing])].filter((app) => addDependencies(tree, workspace, app, app === publisher ? [...needed, '@talaria/storage'] : needed));
  const first = installs[0];
  const call = `Call publish${forms.pascal} of ${publisher.folder}/src/logic/${forms.kebab}.ts in the transaction of the change that it tells of`;
  return finish(tree, { ...(first ? { install: first.name } : {}), then: `${wired ? '' : `${call}. `}Say in ${subscribing.folder}/src/logic/on-${forms.kebab}.ts what is to happen.` });
}
