import { fromWire, ServiceError, toWire } from '@talaria/errors';
import { Status, type Metadata } from '@talaria/rpc';
import type { Fault, FaultRule } from './fault-rule.ts';

/** A rule that is in force in this instance. */
export interface ActiveRule {
  readonly id: string;
  readonly rule: FaultRule;
  readonly fault: Fault;
  /** Whether it may hit calls of this path. */
  matches(path: string): boolean;
  /** Whether it hits calls with this metadata, the percentage apart. */
  matchesHeader(metadata: Metadata): boolean;
  /** What the calls end with that it fails. */
  readonly failure: { readonly code: Status; readonly details: string; readonly trailer: Metadata };
  /** How many calls it has hit. */
  hits: number;
  /** Whether it is still in force: what goes on for long, a slow stream, ends with it. */
  inForce: boolean;
}

/** What is asked about every instance, and by tools, while something is wrong. */
const SPARED = /^(?:grpc\.health|grpc\.reflection|talaria)\./;

function matchesMethod(wanted: string | undefined, path: string): boolean {
  const name = path.slice(1);
  const contract = name.slice(0, name.lastIndexOf('/'));
  if (wanted === name || wanted === contract) return true;
  if (SPARED.test(name)) return false;
  if (wanted === undefined) return true;
  return wanted.endsWith('*') ? name.startsWith(wanted.slice(0, -1)) : name.startsWith(`${wanted}.`);
}

function failureOf(id: string, { error, abort }: Fault): ActiveRule['failure'] {
  const code = Status[error?.code ?? 'UNAVAILABLE'];
  const details = error?.message ?? `The fault ${id} was injected${abort ? ': the call was cut' : ''}`;
  const kind = fromWire(code, details).code;
  const { trailer } = toWire(new ServiceError(`${kind}.injected_fault`, details, { params: { fault: id } }));
  return { code, details, trailer };
}

/** Puts a rule in force. */
export function activeRule(rule: FaultRule, index: number): ActiveRule {
  const id = rule.id ?? `rule-${index + 1}`;
  const known = new Map<string, boolean>();
  return {
    id,
    rule,
    fault: rule.fault,
    matches(path) {
      let found = known.get(path);
      if (found === undefined) known.set(path, (found = matchesMethod(rule.method, path)));
      return found;
    },
    matchesHeader(metadata) {
      if (!rule.header) return true;
      const { name, value } = rule.header;
      if (value === undefined) return metadata.has(name);
      const found = metadata.get(name);
      // Several values of a key travel as one, with commas between them.
      return typeof found === 'string' && (found === value || found.split(', ').includes(value));
    },
    failure: failureOf(id, rule.fault),
    hits: 0,
    inForce: true,
  };
}

/** What a rule does, in a few words. */
export function describeRule({ id, rule, fault }: Pick<ActiveRule, 'id' | 'rule' | 'fault'>): string {
  const { side, method, caller, instance, address, percentage = 100, header } = rule;
  const what = [
    ...(fault.delay === undefined ? [] : [`delay of ${fault.delay} ms`]),
    ...(fault.error ? [fault.error.code] : []),
    ...(fault.abort ? [`cut after ${fault.abort.afterMessages} messages`] : []),
    ...(fault.blackhole ? ['no answer'] : []),
    ...(fault.corrupt ? ['corrupt answers'] : []),
    ...(fault.trickle ? [`${fault.trickle.bytesPerSecond} bytes a second`] : []),
  ].join(' and ');
  const which = [
    ...(caller === undefined ? [] : [` from ${caller}`]),
    ...(address === undefined ? [] : [` to ${address}`]),
    ...(instance === undefined ? [] : [` in ${instance}`]),
    ...(header ? [` with ${header.name}${header.value === undefined ? '' : `=${header.value}`}`] : []),
  ].join('');
  return `${id}: ${what} for ${percentage}% of the calls ${side === 'client' ? 'made' : 'served'} here of ${method ?? 'everything'}${which}`;
}
