import { ErrorCode, StandardResolutionReasons, type EvaluationContext, type FlagValue, type FlagValueType, type ResolutionDetails } from '@openfeature/core';
import { assignmentsReader, formatAssignments, isSubject, ASSIGNMENTS_BAGGAGE, type Assignments } from './assignments.ts';
import { SUBJECT_KEYS, type SubjectKey, type Subjects } from './experiment.ts';
import type { Snapshot } from './snapshot.ts';

/** That a subject got a variant of an experiment. */
export interface Assigned {
  readonly experiment: string;
  readonly variant: string;
  readonly salt: string;
  readonly key: SubjectKey;
  readonly subject: string;
}

/** Answers what flags say, without I/O. */
export interface FlagEvaluator {
  /** What a flag says in a context. Never throws; what is wrong is in the `errorCode`, and the value is the default then. */
  resolve<T extends FlagValue>(type: FlagValueType, flag: string, defaultValue: T, context: EvaluationContext): ResolutionDetails<T>;
  /** The experiments that somebody takes part in, by all keys that are known of them. */
  assign(subjects: Subjects, context?: EvaluationContext): Assignments;
  /** The baggage that makes every service below see what was assigned here, also that nothing was. */
  baggage(subjects: Subjects, context?: EvaluationContext): Readonly<Record<string, string>>;
}

/** What an evaluator works with. */
export interface EvaluatorOptions {
  readonly snapshot: () => Snapshot;
  /** Somebody was answered with a variant of an experiment. */
  readonly onExposure?: (assigned: Assigned) => void;
  /** Experiments did not fit into the baggage. */
  readonly onLeft?: (experiments: readonly string[]) => void;
}

/** Whom a context is about: the customer is the `targetingKey`, unless it has a `customer` of its own. */
function subjectIn(key: SubjectKey, context: EvaluationContext): string | undefined {
  const value = context[key] ?? (key === 'customer' ? context.targetingKey : undefined);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Makes it. */
export function createEvaluator({ snapshot: current, onExposure, onLeft }: EvaluatorOptions): FlagEvaluator {
  const atTheEdge = assignmentsReader();

  /** What the edge decided holds, for whom it decided it; about others, and outside of calls, the buckets are asked here. */
  const decide = (flag: string, context: EvaluationContext, { experiments }: Snapshot): Assigned | undefined => {
    const experiment = experiments.get(flag);
    const decided = atTheEdge();
    if (decided) {
      for (const [key, { subject, variants }] of decided) {
        const found = variants.get(flag);
        if (found && (subjectIn(key, context) ?? subject) === subject) return { experiment: flag, ...found, key, subject };
      }
    }
    if (!experiment?.running) return undefined;
    const { key, salt } = experiment;
    const subject = subjectIn(key, context);
    if (subject === undefined || decided?.get(key)?.subject === subject) return undefined;
    const variant = experiment.variantOf(subject, context);
    return variant === undefined ? undefined : { experiment: flag, variant, salt, key, subject };
  };

  const evaluator: FlagEvaluator = {
    resolve<T extends FlagValue>(type: FlagValueType, name: string, defaultValue: T, context: EvaluationContext): ResolutionDetails<T> {
      const snapshot = current();
      const flag = snapshot.flags.get(name);
      const assigned = flag?.state === 'ENABLED' ? decide(name, context, snapshot) : undefined;
      const value = assigned && flag?.variants.get(assigned.variant);
      if (!assigned || !flag || value === undefined) return snapshot.core.resolve(type, name, defaultValue, context) as ResolutionDetails<T>;
      const flagMetadata = { ...flag.metadata, experiment: name };
      if (typeof value !== type) {
        const errorMessage = `Evaluated type of the flag ${name} does not match. Expected ${type}, got ${typeof value}`;
        return { value: defaultValue, reason: StandardResolutionReasons.ERROR, errorCode: ErrorCode.TYPE_MISMATCH, errorMessage, flagMetadata };
      }
      onExposure?.(assigned);
      return { value: value as T, variant: assigned.variant, reason: StandardResolutionReasons.SPLIT, flagMetadata };
    },
    assign(subjects, context = {}) {
      const { running } = current();
      const whole = { targetingKey: subjects.customer, ...subjects, ...context } as EvaluationContext;
      // Also of those for whom nothing runs: an experiment that starts while the call is under way is not theirs yet, in any service.
      const keys = SUBJECT_KEYS.filter((key) => isSubject(subjects[key]));
      return new Map(
        keys.map((key) => {
          const subject = subjects[key] ?? '';
          const variants = running.filter((experiment) => experiment.key === key).flatMap((experiment) => {
            const variant = experiment.variantOf(subject, whole);
            return variant === undefined ? [] : [[experiment.name, { variant, salt: experiment.salt }] as const];
          });
          return [key, { subject, variants: new Map(variants) }];
        }),
      );
    },
    baggage(subjects, context) {
      const assignments = evaluator.assign(subjects, context);
      if (assignments.size === 0) return {};
      const { text, left } = formatAssignments(assignments);
      if (left.length > 0) onLeft?.(left);
      return { [ASSIGNMENTS_BAGGAGE]: text };
    },
  };
  return evaluator;
}
