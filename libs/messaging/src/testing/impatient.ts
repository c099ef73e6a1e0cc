import type { Broker } from '../broker.ts';

/** The same broker, with holds shorter than in life, so that a test need not wait for long. */
export function impatient(broker: Broker, holdMs = 1500): Broker {
  return { ...broker, take: (group, { most }) => broker.take(group, { most, holdMs }), extend: (group, taken) => broker.extend(group, taken, holdMs) };
}
