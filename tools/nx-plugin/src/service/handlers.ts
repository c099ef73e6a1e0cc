import type { ServiceContext } from './context.ts';

/** `src/handlers/…-handlers.ts`. */
export function handlers({ names: { one, many }, contracts, contract }: ServiceContext): string {
  return `import { type ${one.pascal}ServiceDefinition } from '${contracts}/${contract}';
import { notFound, principal, type ServiceError, type ServiceImplementation } from '@talaria/service';
import { ${one.camel}Changes } from '../logic/${one.kebab}-changes.ts';
import { pageTokenAfter, readPageToken } from '../logic/page-token.ts';
import { type ${one.pascal}Storage } from '../storage/index.ts';

const DEFAULT_PAGE = 30;
const LARGEST_PAGE = 100;

const missing = (id: string): ServiceError => notFound('${one.snake}', \`There is no ${one.words} \${id}.\`, { params: { id } });

/** Every method sees only the ${many.words} of the principal that it is called for. */
export function ${one.camel}Handlers(storage: ${one.pascal}Storage): ServiceImplementation<${one.pascal}ServiceDefinition> {
  return {
    async create${one.pascal}({ title, description }) {
      return { ${one.camel}: await storage.create(principal().id, { title, description }) };
    },
    async get${one.pascal}({ id }) {
      const found = await storage.get(principal().id, id);
      if (!found) throw missing(id);
      return { ${one.camel}: found };
    },
    async list${many.pascal}({ pageSize, pageToken }) {
      const size = Math.min(pageSize || DEFAULT_PAGE, LARGEST_PAGE);
      // One more than asked for tells whether there is another page.
      const found = await storage.list(principal().id, { limit: size + 1, after: readPageToken(pageToken) });
      const page = found.slice(0, size);
      const last = page.at(-1);
      return { ${many.camel}: page, nextPageToken: last && found.length > size ? pageTokenAfter(last) : '' };
    },
    async update${one.pascal}({ ${one.camel}: given, updateMask = [] }) {
      const id = given?.id ?? '';
      const found = await storage.update(principal().id, id, ${one.camel}Changes(given, updateMask));
      if (!found) throw missing(id);
      return { ${one.camel}: found };
    },
    async delete${one.pascal}({ id }) {
      if (!(await storage.delete(principal().id, id))) throw missing(id);
      return {};
    },
  };
}
`;
}

/** `src/handlers/…-handlers.test.ts`. */
export function handlersTest({ names: { one, many }, contracts, contract, service, public: open }: ServiceContext): string {
  const scopes = open
    ? `
test('the contract decides who may call, and with what', async (t) => {
  const { as } = await start(t);
  const reader = as('user_ann', ['${many.kebab}:read']);
  await assert.rejects(reader.create${one.pascal}({ title: 'x' }), { code: 'forbidden.scope' });
  await assert.rejects(as(undefined).list${many.pascal}({}), { code: 'unauthorized.principal' });
  await assert.rejects(reader.list${many.pascal}({ pageSize: -1 }), { code: 'bad_request.invalid_param' });
  await assert.rejects(as('user_ann').create${one.pascal}({ title: '' }), { code: 'bad_request.missing_param' });
});
`
    : `
test('the contract decides who may call, and with what', async (t) => {
  const { as } = await start(t);
  await assert.rejects(as('user_ann', [], true).list${many.pascal}({}), { code: 'forbidden.caller' }, 'no customer gets here');
  await assert.rejects(as(undefined).list${many.pascal}({}), { code: 'unauthorized.principal' });
  await assert.rejects(as('user_ann').list${many.pascal}({ pageSize: -1 }), { code: 'bad_request.invalid_param' });
  await assert.rejects(as('user_ann').create${one.pascal}({ title: '' }), { code: 'bad_request.missing_param' });
});
`;
  const all = open ? `const SCOPES = ['${many.kebab}:read', '${many.kebab}:write'];` : '';
  const as = open
    ? `as: (id: string | undefined, scopes = SCOPES) => platform.client(${one.pascal}ServiceDefinition, id === undefined ? {} : { as: { id, scopes } })`
    : `as: (id: string | undefined, scopes: string[] = [], edge = false) => platform.client(${one.pascal}ServiceDefinition, id === undefined ? {} : { as: { id, scopes }, edge })`;
  return `import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ${one.pascal}ServiceDefinition, type ${one.pascal} } from '${contracts}/${contract}';
import { newId } from '@talaria/service';
import { createPlatform } from '@talaria/testing';
import { type ${one.pascal}Storage } from '../storage/index.ts';
import { ${one.camel}Handlers } from './${one.kebab}-handlers.ts';
${all === '' ? '' : `\n${all}\n`}
/** Keeps them in memory. */
function fakeStorage(): ${one.pascal}Storage {
  const kept: (${one.pascal} & { readonly owner: string })[] = [];
  const find = (owner: string, id: string): number => kept.findIndex((each) => each.owner === owner && each.id === id);
  return {
    async create(owner, fields) {
      const made = { id: newId('${one.snake}'), ...fields, created: new Date(), updated: new Date(), owner };
      kept.push(made);
      return made;
    },
    get: async (owner, id) => kept[find(owner, id)],
    list: async (owner, { limit, after }) => kept.filter((each) => each.owner === owner && (after === undefined || each.id > after.id)).slice(0, limit),
    async update(owner, id, changes) {
      const found = kept[find(owner, id)];
      return found && Object.assign(found, changes);
    },
    async delete(owner, id) {
      const index = find(owner, id);
      return index >= 0 && kept.splice(index, 1).length > 0;
    },
  };
}

async function start(t: TestContext) {
  const platform = await createPlatform();
  platform.service({ name: '${service}' }).add(${one.pascal}ServiceDefinition, ${one.camel}Handlers(fakeStorage()));
  await platform.start();
  t.after(() => platform.stop());
  return { ${as} };
}

test('principals find, change and delete what is theirs, and nobody else does', async (t) => {
  const { as } = await start(t);
  const [ann, bob] = [as('user_ann'), as('user_bob')];
  const { ${one.camel}: created } = await ann.create${one.pascal}({ title: 'First', description: 'of all' });
  const id = created?.id ?? '';
  assert.equal(created?.title, 'First');
  assert.deepEqual((await ann.get${one.pascal}({ id })).${one.camel}, created);

  const missing = { code: 'not_found.${one.snake}', params: { id } };
  await assert.rejects(bob.get${one.pascal}({ id }), missing);
  await assert.rejects(bob.update${one.pascal}({ ${one.camel}: { id, title: 'Mine' } }), missing);
  await assert.rejects(bob.delete${one.pascal}({ id }), missing);
  assert.deepEqual((await bob.list${many.pascal}({})).${many.camel}, []);

  await ann.delete${one.pascal}({ id });
  await assert.rejects(ann.get${one.pascal}({ id }), missing);
  await assert.rejects(ann.delete${one.pascal}({ id }), missing);
});

test('an update changes what the mask names; without a mask, what is not empty', async (t) => {
  const ann = (await start(t)).as('user_ann');
  const { ${one.camel}: created } = await ann.create${one.pascal}({ title: 'First', description: 'of all' });
  const id = created?.id ?? '';
  const update = async (title: string, description: string, updateMask?: string[]): Promise<(string | undefined)[]> => {
    const { ${one.camel}: now } = await ann.update${one.pascal}({ ${one.camel}: { id, title, description }, updateMask });
    return [now?.title, now?.description];
  };
  assert.deepEqual(await update('Second', 'ignored', ['title']), ['Second', 'of all']);
  assert.deepEqual(await update('', 'of two'), ['Second', 'of two']);
  assert.deepEqual(await update('', '', ['description']), ['Second', '']);
  assert.deepEqual(await update('Third', 'of three', ['*']), ['Third', 'of three']);
  await assert.rejects(update('x', 'x', ['owner']), { code: 'bad_request.invalid_param' });
  await assert.rejects(update('', 'x', ['title']), { code: 'bad_request.missing_param' });
  await assert.rejects(ann.update${one.pascal}({}), { code: 'bad_request.missing_param' });
});

test('pages follow each other until there are no more', async (t) => {
  const ann = (await start(t)).as('user_ann');
  const titles = ['1', '2', '3', '4', '5'];
  for (const title of titles) await ann.create${one.pascal}({ title });
  const found: string[] = [];
  let pageToken = '';
  do {
    const page = await ann.list${many.pascal}({ pageSize: 2, pageToken });
    assert.ok(page.${many.camel}.length <= 2);
    found.push(...page.${many.camel}.map(({ title }) => title));
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  assert.deepEqual(found, titles);
  assert.equal((await ann.list${many.pascal}({ pageSize: 5 })).nextPageToken, '');
  await assert.rejects(ann.list${many.pascal}({ pageToken: 'guessed' }), { code: 'bad_request.invalid_param', params: { param: 'page_token' } });
});
${scopes}`;
}
