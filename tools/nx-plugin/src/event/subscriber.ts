import type { EventContext } from './context.ts';

/** `src/logic/on-….ts` of the service that heeds the event. */
export function subscriber({ type, forms, message, module }: EventContext): string {
  return `import { ${message} } from '${module}';
import { type EventHandler } from '@talaria/messaging';
import { type Logger } from '@talaria/service';

/** Handles \`${type}\`, in a transaction of this service's database: what it throws undoes its work, and the event comes again. */
export function on${forms.pascal}(log: Logger): EventHandler {
  return async (event) => {
    const { id } = ${message}.fromJSON(event.data);
    log.info('${type} arrived', { id, event: event.id, source: event.source });
  };
}
`;
}

/** The test of that. */
export function subscriberTest({ type, forms, message, module, source }: EventContext): string {
  return `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ${message} } from '${module}';
import { silentLogger } from '@talaria/service';
import { on${forms.pascal} } from './on-${forms.kebab}.ts';

test('${type} is read as it was published', async () => {
  const lines: unknown[] = [];
  const log = { ...silentLogger, info: (message: string, fields?: object) => void lines.push([message, fields]) };
  const data = ${message}.toJSON(${message}.fromPartial({ id: 'id_1' }));
  await on${forms.pascal}(log)({ id: 'evt_1', type: '${type}', time: '2026-01-31T12:00:00Z', source: '${source}', subject: 'id_1', data }, { attempt: 1 });
  assert.deepEqual(lines, [['${type} arrived', { id: 'id_1', event: 'evt_1', source: '${source}' }]]);
});
`;
}

/** The line that subscribes. */
export const subscription = ({ type, forms }: EventContext): string => `events.subscribe('${type}', on${forms.pascal}(log));`;

/** `src/logic/subscriptions.ts`. */
export function subscriptions(context: EventContext): string {
  return `import { type Messaging } from '@talaria/messaging';
import { type Logger } from '@talaria/service';
import { on${context.forms.pascal} } from './on-${context.forms.kebab}.ts';

/** Subscribes this service to the events that it heeds. Before it starts. */
export function subscribe(events: Pick<Messaging, 'subscribe'>, log: Logger): void {
  ${subscription(context)}
}
`;
}
