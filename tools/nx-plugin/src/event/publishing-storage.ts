import ts from 'typescript';
import { parse } from '../typescript/source.ts';
import type { EventContext } from './context.ts';

/** A change of the storage that can publish an event. */
export type Change = 'create' | 'update' | 'delete';

/** What happened, by the last word of an event's type. */
const CHANGES: Readonly<Record<string, Change>> = { created: 'create', updated: 'update', changed: 'update', deleted: 'delete', removed: 'delete' };

/** The change that an event of that type tells of. */
export function changeOf(type: string): Change | undefined {
  return CHANGES[type.split('.').at(-1) ?? ''];
}

/** What the storage's interface must answer so that the event knows what it is about. */
function answers(change: Change, message: string): readonly string[] {
  if (change === 'create') return [`Promise<${message}>`];
  return change === 'update' ? [`Promise<${message}>`, `Promise<${message} | undefined>`] : ['Promise<boolean>'];
}

/** Whether the interface `name` of a file has the change, in the form that `nx g service` gives it. */
export function hasChange(text: string, name: string, change: Change, message: string): boolean {
  const source = parse(text);
  const found = source.statements.find((each): each is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(each) && each.name.text === name);
  const typeOf = (method: string): ts.MethodSignature | undefined => found?.members.find((each): each is ts.MethodSignature => ts.isMethodSignature(each) && each.name.getText(source) === method);
  const signature = typeOf(change);
  if (!signature || !answers(change, message).includes(signature.type?.getText(source) ?? '')) return false;
  if (change !== 'delete') return true;
  // What was deleted has to be read first, with the same arguments.
  const get = typeOf('get');
  const parameters = (each: ts.MethodSignature): string => each.parameters.map((parameter) => parameter.type?.getText(source)).join();
  return get !== undefined && parameters(get) === parameters(signature) && get.type?.getText(source) === `Promise<${message} | undefined>`;
}

/** The property of the publishing storage. */
export function change(of: Change, { forms }: EventContext): string {
  if (of === 'delete') {
    return `delete: (...given) =>
  db.transaction(async () => {
    const found = await storage.get(...given);
    const deleted = await storage.delete(...given);
    if (found && deleted) await publish${forms.pascal}(events, found);
    return deleted;
  })`;
  }
  const publish = `await publish${forms.pascal}(events, changed);`;
  return `${of}: (...given) =>
  db.transaction(async () => {
    const changed = await storage.${of}(...given);
    ${of === 'update' ? `if (changed) ${publish}` : publish}
    return changed;
  })`;
}

/** `src/storage/publishing-storage.ts`. */
export function publishingStorage(of: Change, context: EventContext, storage: { readonly type: string; readonly file: string }): string {
  return `import { type Messaging } from '@talaria/messaging';
import { type Postgres } from '@talaria/storage';
import { publish${context.forms.pascal} } from '../logic/${context.forms.kebab}.ts';
import { type ${storage.type} } from './${storage.file}';

/** The same storage, whose changes publish events: in the transaction of the change, so that both happen or neither does. */
export function publishingStorage(storage: ${storage.type}, db: Pick<Postgres<unknown>, 'transaction'>, events: Pick<Messaging, 'publish'>): ${storage.type} {
  return {
    ...storage,
    ${change(of, context).replaceAll('\n', '\n    ')},
  };
}
`;
}

/** `src/storage/publishing-storage.test.ts`, or what is added to it. */
export function publishingStorageTest(of: Change, { type, message, module }: EventContext, storage: { readonly type: string; readonly file: string }): { readonly head: string; readonly test: string } {
  const fakes = of === 'delete' ? 'get: async () => about, delete: async () => true' : `${of}: async () => about`;
  return {
    head: `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ${message} } from '${module}';
import { type Messaging } from '@talaria/messaging';
import { publishingStorage } from './publishing-storage.ts';
import { type ${storage.type} } from './${storage.file}';

const about = ${message}.fromPartial({ id: 'id_1' });

/** A storage that answers as said, and what happens when it is used. */
function scene(answers: Partial<${storage.type}>): { readonly storage: ${storage.type}; readonly steps: string[] } {
  const steps: string[] = [];
  const db = {
    async transaction<T>(work: () => Promise<T>): Promise<T> {
      steps.push('begin');
      const result = await work();
      steps.push('commit');
      return result;
    },
  };
  const publish: Messaging['publish'] = async (type, { subject, data }) => {
    steps.push(\`\${type} \${subject}\`);
    return { id: 'evt_1', type, time: '', source: '', subject, data };
  };
  return { storage: publishingStorage(answers as ${storage.type}, db, { publish }), steps };
}
`,
    test: `
test('${type} is published in the transaction of the change', async () => {
  const { storage, steps } = scene({ ${fakes} });
  await storage.${of}(...([] as unknown as Parameters<${storage.type}['${of}']>));
  assert.deepEqual(steps, ['begin', '${type} id_1', 'commit']);
});
`,
  };
}
