import { badRequest } from '@talaria/service';

/** RFC 3339, section 5.6. */
const RFC_3339 = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** A time as a request gives it; undefined for an empty one. Throws bad_request.invalid_param otherwise. */
export function moment(field: string, value: string): Date | undefined {
  if (value === '') return undefined;
  const time = RFC_3339.test(value) ? new Date(value) : undefined;
  if (!time || Number.isNaN(time.getTime())) {
    const description = 'must be an RFC 3339 time, such as 2026-01-31T12:00:00Z';
    throw badRequest('invalid_param', `${field} ${description}.`, { params: { param: field }, violations: [{ field, description }] });
  }
  return time;
}

/** A time, or the id of a transaction. */
export function momentOrId(field: string, value: string): Date | string | undefined {
  return value.startsWith('tx_') ? value : moment(field, value);
}
