import type { EventContext } from './context.ts';

/** `src/logic/….ts` of the service that publishes the event. */
export function publisher({ type, forms, message, module }: EventContext): string {
  return `import { ${message} } from '${module}';
import { type Envelope, type Messaging } from '@talaria/messaging';

/** Publishes \`${type}\`, if and only if the open transaction commits. Its data is the ${message} in proto JSON, its subject the id. */
export function publish${forms.pascal}(events: Pick<Messaging, 'publish'>, about: ${message}): Promise<Envelope> {
  return events.publish('${type}', { subject: about.id, data: ${message}.toJSON(about) });
}
`;
}

/** The test of that: what commits arrives, what does not never does. */
export function publisherTest({ type, forms, message, module, source }: EventContext): string {
  return `import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ${message} } from '${module}';
import { messaging, type Envelope } from '@talaria/messaging';
import { silentLogger } from '@talaria/service';
import { postgres } from '@talaria/storage';
import { eventually, testDatabase } from '@talaria/testing';
import { publish${forms.pascal} } from './${forms.kebab}.ts';

const ready = (async () => {
  const database = await testDatabase();
  const db = postgres();
  const events = messaging({ storage: db });
  const arrived: Envelope[] = [];
  events.subscribe('${type}', async (event) => void arrived.push(event));
  const host = { service: '${source}', instance: 'inst_1', log: silentLogger, env: { DATABASE_URL: database.url } };
  await db.start(host, AbortSignal.timeout(60_000));
  await events.start(host, AbortSignal.timeout(60_000));
  return { database, db, events, arrived };
})();
after(async () => {
  const { database, db, events } = await ready;
  await events.stop();
  await db.stop();
  await database.close();
});

test('${type} goes out with its transaction, and not without', async () => {
  const { db, events, arrived } = await ready;
  const [kept, undone] = ['kept', 'undone'].map((id) => ${message}.fromPartial({ id }));
  assert.ok(kept && undone);
  await assert.rejects(
    db.transaction(async () => {
      await publish${forms.pascal}(events, undone);
      throw new Error('the change fails');
    }),
    /the change fails/,
  );
  await db.transaction(() => publish${forms.pascal}(events, kept));
  await eventually(() => arrived.some(({ subject }) => subject === 'kept'), { limitMs: 60_000 });
  assert.deepEqual(arrived.map(({ type, subject, data }) => [type, subject, ${message}.fromJSON(data)]), [['${type}', 'kept', kept]]);
  await assert.rejects(publish${forms.pascal}(events, kept), /transaction/);
});
`;
}
