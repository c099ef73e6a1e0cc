import type { ServiceContext } from './context.ts';

/** `src/logic/page-token.ts`. */
export function pageToken(): string {
  return `import { badRequest } from '@talaria/service';

/** A place in a list that is ordered by time, then by id. It stays where it is when others come or go. */
export interface Place {
  readonly created: Date;
  readonly id: string;
}

const encode = (created: number, id: string): string => Buffer.from(JSON.stringify([created, id])).toString('base64url');

/** The token of the page that begins after \`last\`. Clients pass it back as it is. */
export function pageTokenAfter(last: { readonly created: Date | undefined; readonly id: string }): string {
  return encode(last.created?.getTime() ?? 0, last.id);
}

function decode(token: string): Place | undefined {
  try {
    const [created, id] = JSON.parse(Buffer.from(token, 'base64url').toString()) as unknown[];
    // Only what was made here: the same text again, and a time that there is.
    if (typeof created !== 'number' || typeof id !== 'string' || encode(created, id) !== token) return undefined;
    const time = new Date(created);
    return Number.isNaN(time.getTime()) ? undefined : { created: time, id };
  } catch {
    return undefined;
  }
}

/** Where a page begins; undefined for the first. Throws bad_request.invalid_param for what is no token of a page. */
export function readPageToken(token: string): Place | undefined {
  if (token === '') return undefined;
  const place = decode(token);
  if (!place) {
    const description = 'must be the next_page_token of an earlier answer';
    throw badRequest('invalid_param', \`page_token \${description}.\`, { params: { param: 'page_token' }, violations: [{ field: 'page_token', description }] });
  }
  return place;
}
`;
}

/** `src/logic/page-token.test.ts`. */
export function pageTokenTest({ names: { one } }: ServiceContext): string {
  return `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pageTokenAfter, readPageToken } from './page-token.ts';

test('a token leads back to its place, and an empty one to the beginning', () => {
  const place = { created: new Date('2026-01-31T12:00:00.123Z'), id: '${one.snake}_01J9ZQ6D3M3V9Y7P0E4W7S2X1A' };
  assert.deepEqual(readPageToken(pageTokenAfter(place)), place);
  assert.equal(readPageToken(''), undefined);
});

test('what is no token is refused, and the field named', () => {
  const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const token = pageTokenAfter({ created: new Date(0), id: 'x' });
  for (const wrong of ['guessed', '!', \`\${token}=\`, token.slice(1), encoded([]), encoded({}), encoded(null), encoded([1]), encoded(['1', 'x']), encoded([1e300, 'x']), encoded([1, 'x', 2])]) {
    assert.throws(() => readPageToken(wrong), { code: 'bad_request.invalid_param', violations: [{ field: 'page_token', description: 'must be the next_page_token of an earlier answer' }] }, wrong);
  }
});
`;
}

/** `src/logic/…-changes.ts`. */
export function changes({ names: { one, article }, contracts, contract }: ServiceContext): string {
  return `import { type ${one.pascal} } from '${contracts}/${contract}';
import { badRequest, type ServiceError } from '@talaria/service';

/** What an update may change. */
export type ${one.pascal}Changes = Partial<Pick<${one.pascal}, 'title' | 'description'>>;

/** Their names in a mask and in the message: those of two words differ (\`due_date\`, \`dueDate\`). */
const UPDATABLE = new Map<string, keyof ${one.pascal}Changes>([
  ['title', 'title'],
  ['description', 'description'],
]);

function wrong(code: string, field: string, description: string): ServiceError {
  return badRequest(code, \`\${field} \${description}.\`, { params: { param: field }, violations: [{ field, description }] });
}

/**
 * What an update changes (AIP-134): the fields that the mask names, all for \`*\`, and without a mask those that are not empty.
 * Throws bad_request.invalid_param for a path that cannot be changed, bad_request.missing_param for ${article} ${one.words} that would have no title.
 */
export function ${one.camel}Changes(given: Partial<${one.pascal}> = {}, mask: readonly string[]): ${one.pascal}Changes {
  const unknown = mask.filter((path) => path !== '*' && !UPDATABLE.has(path));
  if (unknown.length > 0) throw wrong('invalid_param', 'update_mask', \`names \${unknown.join(', ')}, and may only name \${[...UPDATABLE.keys()].join(', ')} or *\`);
  const named = (path: string, field: keyof ${one.pascal}Changes): boolean => (mask.length > 0 ? mask.includes('*') || mask.includes(path) : Boolean(given[field]));
  const changes: ${one.pascal}Changes = {};
  for (const [path, field] of UPDATABLE) if (named(path, field)) changes[field] = given[field] ?? '';
  if (changes.title === '') throw wrong('missing_param', '${one.snake}.title', 'must not be empty');
  return changes;
}
`;
}

/** `src/logic/…-changes.test.ts`. */
export function changesTest({ names: { one } }: ServiceContext): string {
  return `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ${one.camel}Changes } from './${one.kebab}-changes.ts';

test('a mask says what changes; none means what is not empty', () => {
  const given = { title: 'Second', description: '' };
  assert.deepEqual(${one.camel}Changes(given, []), { title: 'Second' });
  assert.deepEqual(${one.camel}Changes(given, ['description']), { description: '' });
  assert.deepEqual(${one.camel}Changes(given, ['*']), given);
  assert.deepEqual(${one.camel}Changes(undefined, []), {});
});

test('what cannot be changed is refused, and so is an empty title', () => {
  for (const path of ['id', 'created', 'owner', 'title.x', 'Title', '']) {
    assert.throws(() => ${one.camel}Changes({ title: 'x' }, [path]), { code: 'bad_request.invalid_param', params: { param: 'update_mask' } }, path);
  }
  assert.throws(() => ${one.camel}Changes({ title: '' }, ['title']), { code: 'bad_request.missing_param', params: { param: '${one.snake}.title' } });
});
`;
}
