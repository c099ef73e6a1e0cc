import { methodPriority, PRIORITY_BAGGAGE } from '@talaria/rpc';
import { type Route } from '../transcode/routes.ts';
import { extensions } from './definition.ts';

/** The baggage that says how much calls of a route matter, as the contract has it; none where that says nothing. */
export function priorityBaggage({ desc }: Route): readonly (readonly [name: string, value: string])[] {
  const priority = methodPriority(extensions(desc));
  return priority === undefined ? [] : [[PRIORITY_BAGGAGE, priority]];
}
