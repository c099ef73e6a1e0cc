import { BUCKETS, bucketsOf } from '@talaria/base';
import { z } from 'zod';
import { MAX_RANGES, overlap, variantFinder, type Allocation, type BucketRange } from './allocation.ts';
import { DocumentError, parseJson } from './document-error.ts';
import { compileCondition } from './flag-document.ts';

/** Whom an experiment goes by. */
export const SUBJECT_KEYS = ['customer', 'account', 'device'] as const;
/** Whom an experiment goes by: the principal of a call, an account that it is about, or the device that it came from. */
export type SubjectKey = (typeof SUBJECT_KEYS)[number];

/** Whom a call is about, as far as is known. */
export type Subjects = { readonly [K in SubjectKey]?: string | undefined };

const NAME = /^[a-z0-9][a-z0-9_.-]{0,63}$/;
const VARIANT = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;
const name = z.string().regex(NAME, 'use up to 64 of a-z, 0-9, ".", "_" and "-", a letter or digit first');
const bucket = z.int().min(0).max(BUCKETS);
const range = z.tuple([bucket, bucket]).refine(([from, to]) => from < to, 'the first bucket of a range comes before its end');

const SCHEMA = z.strictObject({
  $schema: z.string().optional(),
  description: z.string().max(500).optional(),
  key: z.enum(SUBJECT_KEYS),
  state: z.enum(['running', 'stopped']).default('running'),
  salt: name.optional(),
  group: name.optional(),
  eligible: z.record(z.string(), z.unknown()).optional(),
  allocation: z
    .record(z.string().regex(VARIANT, 'use up to 64 letters, digits, ".", "_" and "-"'), z.array(range).readonly())
    .refine((allocation) => Object.values(allocation).flat().length <= MAX_RANGES, `use at most ${MAX_RANGES} ranges`),
});

/** An experiment, as it stands in its document. */
export interface ExperimentDocument {
  readonly $schema?: string | undefined;
  readonly description?: string | undefined;
  /** Whom it goes by. */
  readonly key: SubjectKey;
  /** `stopped`: nobody is assigned any more. Default `running`. */
  readonly state?: 'running' | 'stopped' | undefined;
  /** What subjects are spread over the buckets with; another one is another experiment. Default: the name. */
  readonly salt?: string | undefined;
  /** Experiments of a group share one set of buckets, so that a subject is in one of them at most. */
  readonly group?: string | undefined;
  /** Targeting, in flagd's JSONLogic, that must be true for whoever takes part. Default: everybody. */
  readonly eligible?: Readonly<Record<string, unknown>> | undefined;
  readonly allocation: Allocation;
}

/** An experiment, ready to assign. */
export interface Experiment {
  /** Also of the flag that it decides. */
  readonly name: string;
  readonly key: SubjectKey;
  readonly running: boolean;
  readonly salt: string;
  readonly group: string | undefined;
  readonly variants: readonly string[];
  readonly ranges: readonly BucketRange[];
  /** The variant of a subject, by its bucket; undefined for one that does not take part. Does not look at `running`. */
  variantOf(subject: string, context: Readonly<Record<string, unknown>>): string | undefined;
}

/** What a subject's bucket is found with: experiments of a group have it in common, and no gateway rule has it. */
function saltOf(name: string, { salt, group }: ExperimentDocument): string {
  return group === undefined ? `experiments/${salt ?? name}` : `experiment-groups/${group}`;
}

/** Without a condition, or with an empty one, everybody is eligible. */
function conditionOf({ eligible = {} }: ExperimentDocument): ReturnType<typeof compileCondition> {
  return Object.keys(eligible).length > 0 ? compileCondition(eligible) : undefined;
}

/** Reads the document of an experiment. Throws a `DocumentError` for one that cannot be used. */
export function readExperiment(name: string, text: string): Experiment {
  const document = checkExperiment(name, parseJson(text));
  const find = variantFinder(document.allocation);
  const bucketFor = bucketsOf(saltOf(name, document));
  const eligible = conditionOf(document);
  return {
    name,
    key: document.key,
    running: document.state !== 'stopped',
    salt: document.salt ?? name,
    group: document.group,
    variants: Object.keys(document.allocation),
    ranges: Object.values(document.allocation).flat(),
    variantOf(subject, context) {
      const variant = find(bucketFor(subject));
      return variant === undefined || (eligible && !eligible(context)) ? undefined : variant;
    },
  };
}

/** Checks what was read as JSON. Throws a `DocumentError` that names what is wrong. */
export function checkExperiment(name: string, json: unknown): ExperimentDocument {
  if (!NAME.test(name)) throw new DocumentError('an experiment has the name of the flag that it decides: use up to 64 of a-z, 0-9, ".", "_" and "-", a letter or digit first');
  const { data, error } = SCHEMA.safeParse(json);
  if (!data) throw new DocumentError(error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message)).join('; '));
  const twice = overlap(Object.values(data.allocation).flat());
  if (twice) throw new DocumentError(`allocation: [${twice[0].join(', ')}) and [${twice[1].join(', ')}) have buckets in common`);
  if (data.group !== undefined && data.salt !== undefined) throw new DocumentError('salt: experiments of a group share their buckets, so leave salt out');
  if (Object.keys(data.eligible ?? {}).length > 0 && !conditionOf(data as ExperimentDocument)) throw new DocumentError('eligible: it is not JSONLogic as flagd has it');
  return data as ExperimentDocument;
}
