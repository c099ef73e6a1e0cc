import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import ts from 'typescript';
import { apiGenerator } from '../api/generator.ts';
import { checkerGenerator } from '../checker/generator.ts';
import { eventGenerator } from '../event/generator.ts';
import { GeneratorError } from '../generator-error.ts';
import { kebabOf } from '../method/plan.ts';
import { methodGenerator } from '../method/generator.ts';
import { serviceGenerator } from '../service/generator.ts';
import { identifiersOf } from '../testing/identifiers.ts';
import { filesBelow, testTree } from '../testing/test-tree.ts';
import { checkPlural, checkServiceName } from './check-name.ts';
import { formsOf, namesOf, type Names } from './names.ts';

const ROOT = join(import.meta.dirname, '../../../..');
const generated = (contract: string): string => readFileSync(join(ROOT, 'libs/contracts/gen/messages', `${contract}.ts`), 'utf8');

/** Names for which a file that was written for `names` would declare one of `identifiers` itself. */
function collisions(own: ReadonlySet<string>, identifiers: Iterable<string>, { one, many }: Names): string[] {
  const forms = [many.pascal, many.camel, one.pascal, one.camel];
  const patterns = [...own].flatMap((identifier) => {
    const form = forms.find((each) => identifier.includes(each));
    if (form === undefined) return [];
    const at = identifier.indexOf(form);
    return { prefix: identifier.slice(0, at), suffix: identifier.slice(at + form.length), capital: /^[A-Z]/.test(form) };
  });
  const foreign = [...identifiers].filter((identifier) => !forms.some((form) => identifier.includes(form)));
  return patterns.flatMap(({ prefix, suffix, capital }) =>
    foreign
      .filter((identifier) => identifier.startsWith(prefix) && identifier.endsWith(suffix))
      .map((identifier) => identifier.slice(prefix.length, identifier.length - suffix.length))
      .filter((name) => (capital ? /^[A-Z]/ : /^[a-z]/).test(name))
      .map(kebabOf)
      // No name gives a constant in capital letters.
      .filter((name) => foreign.includes(`${prefix}${capital ? formsOf(name).pascal : formsOf(name).camel}${suffix}`)),
  );
}

function refused(name: string, what: string): void {
  for (const check of [() => checkServiceName(name, 'service'), () => checkPlural('invoice', name)]) {
    assert.throws(check, (error: unknown) => error instanceof GeneratorError, `${name}: ${what}`);
  }
}

test('refuses what would collide in the generated contract', () => {
  const [account, ...streams] = ['account/v1/account', 'health/v1/health', 'grpc/reflection/v1/reflection'].map((contract) => identifiersOf(generated(contract)));
  assert.ok(account);
  const streaming = streams.flatMap((all) => [...all]);
  // Their own messages and services are in no other contract.
  const theirs = streaming.flatMap((identifier) => /^(?:createBase(.*)|(.*)Definition)$/.exec(identifier)?.slice(1).filter(Boolean) ?? []);
  const others = streaming.filter((identifier) => !theirs.some((own) => identifier.includes(own)));
  const found = new Set(collisions(account, [...account, ...others], namesOf('account')));
  for (const name of ['deep-partial', 'message-fns', 'builtin', 'binary-reader', 'call-context', 'server-streaming-method-result', 'timestamp', 'uint8-array']) assert.ok(found.has(name), name);
  for (const name of found) refused(name, 'in a generated contract');
});

test('refuses what would collide in what the generators write', async () => {
  const tree = testTree();
  await serviceGenerator(tree, { name: 'zebra', plural: 'okapis' });
  await methodGenerator(tree, { method: 'zebra.v1.ZebraService/ResetZebra' });
  await apiGenerator(tree, { name: 'zebra', plural: 'okapis' });
  await methodGenerator(tree, { method: 'zebra.api.v1.ZebraApiService/MoveZebra' });
  for (const type of ['zebra.created', 'zebra.updated', 'zebra.deleted', 'zebra.reset']) await eventGenerator(tree, { type });
  await checkerGenerator(tree, { name: 'backlog', project: 'zebra-service' });
  await checkerGenerator(tree, { name: 'rates', project: 'zebra-service', url: 'https://example.com/' });
  const files = [...filesBelow(tree, 'apps/zebra-service'), ...filesBelow(tree, 'apps/zebra-api')].filter(([file]) => file.endsWith('.ts'));
  const found = new Map(
    files.flatMap(([file, text]) => {
      const identifiers = identifiersOf(text);
      return collisions(identifiers, identifiers, namesOf('zebra', 'okapis')).map((name) => [name, file] as const);
    }),
  );
  for (const name of ['tables', 'place', 'fake', 'handlers', 'postgres']) assert.ok(found.has(name), name);
  for (const [name, file] of found) refused(name, file);

  const proto = tree.read('proto/zebra/v1/zebra.proto', 'utf8') ?? '';
  for (const [message] of proto.matchAll(/^message \w+ \{[^}]*^\}/gm)) {
    const fields = [...message.matchAll(/(\w+) = \d+/g)].map(([, field = '']) => field);
    if (fields.includes('zebra') || fields.includes('okapis')) for (const field of fields.filter((each) => each !== 'zebra' && each !== 'okapis')) refused(field.replaceAll('_', '-'), message);
  }
});

test("refuses words of the language, and the platform's tables", () => {
  for (let kind = ts.SyntaxKind.FirstReservedWord; kind <= ts.SyntaxKind.LastFutureReservedWord; kind++) refused(ts.tokenToString(kind) ?? '', 'a reserved word');
  const sources = ['storage', 'messaging'].flatMap((lib) => globSync(join(ROOT, 'libs', lib, 'src/**/*.ts'), { exclude: (name) => name.endsWith('.test.ts') }));
  const tables = sources.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/create table (?:if not exists )?(\w+) \(/g)].map(([, table = '']) => table));
  assert.ok(tables.includes('messaging_outbox'));
  for (const table of tables) assert.throws(() => checkPlural('invoice', table.replaceAll('_', '-')), GeneratorError, table);
});

test('accepts ordinary words, also where singular and plural are one', () => {
  for (const name of ['invoice', 'bank-statement', 'person', 'news', 'line', 'field', 'step', 'order', 'customer', 'payment', 'user', 'note', 'a-b']) {
    checkServiceName(name, 'service');
    checkPlural(name);
    checkPlural(name, name);
  }
});

test('says what to do about a plural that is taken, also if it is by the rules', () => {
  assert.throws(() => checkPlural('lesson', 'class'), { message: '"class" is taken by the platform, by protobuf or by TypeScript: choose another plural with --plural, such as lesson-records.' });
  assert.throws(() => checkPlural('argument'), /"arguments" is taken/);
  assert.throws(() => checkPlural('invoice', 'In voices'), /is no name for a plural/);
});
