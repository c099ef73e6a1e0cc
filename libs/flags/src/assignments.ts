import { propagation } from '@opentelemetry/api';
import { baggageKey } from '@talaria/context';
import { SUBJECT_KEYS, type SubjectKey } from './experiment.ts';

/** What was decided for one subject: the variants of the experiments that it takes part in. Whatever is not among them it does not take part in. */
export interface Assignment {
  readonly subject: string;
  readonly variants: ReadonlyMap<string, AssignedVariant>;
}

/** That a subject takes part in an experiment. */
export interface AssignedVariant {
  readonly variant: string;
  /** The experiment's, which tells its runs apart. */
  readonly salt: string;
}

/** What was decided at the edge, by what it was decided with. */
export type Assignments = ReadonlyMap<SubjectKey, Assignment>;

/** The name of the baggage that assignments travel in. */
export const ASSIGNMENTS_BAGGAGE = 'talaria-experiments';
/** Of the 8,192 bytes that all baggage may have, encoded. */
const MAX_BYTES = 4_096;
/** Most bytes of one subject, encoded: strangers choose the ids of their devices, and the three together leave room. */
const MAX_SUBJECT_BYTES = 512;

/** Nothing of this is encoded again on its way: `customer*user_1*icons!on*search!b!run-2~device*d1`. */
const encode = (text: string): string => encodeURIComponent(text.toWellFormed()).replaceAll(/[~*!]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/** Whether somebody can be carried along: who has an id, of no more than 512 bytes as it travels. */
export function isSubject(subject: string | undefined): subject is string {
  return subject !== undefined && subject !== '' && subject.length <= MAX_SUBJECT_BYTES && encodeURIComponent(encode(subject)).length <= MAX_SUBJECT_BYTES;
}

/** Assignments as they travel. Experiments that do not fit are left out whole, the last ones first, and named in `left`. */
export function formatAssignments(assignments: Assignments): { readonly text: string; readonly left: readonly string[] } {
  const left: string[] = [];
  let size = 0;
  const fits = (part: string): boolean => {
    const grown = size + encodeURIComponent(part).length + 1;
    if (grown > MAX_BYTES) return false;
    size = grown;
    return true;
  };
  const text = [...assignments].map(([key, { subject, variants }]) => {
    const parts = [`${key}*${encode(subject)}`];
    fits(parts[0] ?? '');
    for (const [name, { variant, salt }] of variants) {
      const part = `${name}!${variant}${salt === name ? '' : `!${salt}`}`;
      if (fits(part)) parts.push(part);
      else left.push(name);
    }
    return parts.join('*');
  });
  return { text: text.join('~'), left };
}

/** Reads what `formatAssignments` wrote. Throws for anything else. */
export function parseAssignments(text: string): Assignments {
  const assignments = new Map<SubjectKey, Assignment>();
  for (const group of text.split('~')) {
    const [key = '', subject = '', ...parts] = group.split('*');
    if (!SUBJECT_KEYS.includes(key as SubjectKey) || subject === '') throw new TypeError(`"${text}" are no assignments.`);
    const variants = parts.map((part): [string, AssignedVariant] => {
      const [name = '', variant = '', salt = name] = part.split('!');
      if (name === '' || variant === '') throw new TypeError(`"${text}" are no assignments.`);
      return [name, { variant, salt }];
    });
    assignments.set(key as SubjectKey, { subject: decodeURIComponent(subject), variants: new Map(variants) });
  }
  return assignments;
}

const carried = baggageKey<Assignments>(ASSIGNMENTS_BAGGAGE, { parse: parseAssignments, format: (assignments) => formatAssignments(assignments).text, maxBytes: MAX_BYTES });

/** Runs `fn` as part of a call for which this was decided at the edge; for tests, and for programs that are edges themselves. */
export const withAssignments = <T>(assignments: Assignments | undefined, fn: () => T): T => carried.run(assignments, fn);

/** How many calls' assignments are kept read: a call asks for many flags, and many calls are made for the same subject. */
const REMEMBERED = 1000;

/** Says what was decided at the edge for the call that the running code belongs to; undefined where nothing was. */
export function assignmentsReader(): () => Assignments | undefined {
  const read = new Map<string, Assignments | undefined>();
  return () => {
    const text = propagation.getActiveBaggage()?.getEntry(ASSIGNMENTS_BAGGAGE)?.value;
    if (text === undefined) return undefined;
    if (read.has(text)) return read.get(text);
    const assignments = carried.get();
    if (read.size >= REMEMBERED) read.clear();
    read.set(text, assignments);
    return assignments;
  };
}
