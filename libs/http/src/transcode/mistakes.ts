import { badRequest, type FieldViolation, type ServiceError } from '@talaria/errors';

/** What can be wrong with one field of a request; the second segment of the code: `bad_request.unknown_param`. */
export type MistakeKind = 'invalid_param' | 'unknown_param' | 'duplicate_param' | 'missing_param';

/** Collects what is wrong with a request, so that one answer names it all. */
export interface Mistakes {
  /** Notes that `field` (a path in proto names) is wrong. */
  add(kind: MistakeKind, field: string, description: string): void;
  /** Whether nothing was noted. */
  readonly none: boolean;
  /** The error that says it all; the first mistake gives the code. */
  toError(): ServiceError;
}

/** As many as travel in gRPC trailers; a hostile request could have thousands. */
const MAX_NAMED = 20;
const MAX_FIELD_CHARACTERS = 200;

/** Client text may be long or hold half a surrogate pair; neither belongs in an answer. */
function presentable(text: string): string {
  const short = text.length > MAX_FIELD_CHARACTERS ? `${text.slice(0, MAX_FIELD_CHARACTERS)}…` : text;
  return short.toWellFormed();
}

/** An empty collection. */
export function collectMistakes(): Mistakes {
  const violations: FieldViolation[] = [];
  let first: MistakeKind | undefined;
  return {
    add(kind, field, description) {
      first ??= kind;
      if (violations.length < MAX_NAMED) violations.push({ field: presentable(field), description: presentable(description) });
    },
    get none() {
      return first === undefined;
    },
    toError() {
      const { field, description } = violations[0] ?? { field: '', description: 'is wrong' };
      return badRequest(first ?? 'invalid_param', `${field}: ${description}`, { params: { param: field }, violations });
    },
  };
}
