import { type ServiceError } from './service-error.ts';

/** RFC 9457, with our extensions `code`, `params`, `violations` and `trace_id`. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly params: Readonly<Record<string, string>>;
  readonly violations?: readonly { readonly field: string; readonly description: string }[];
  readonly trace_id?: string;
}

const TITLES: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  412: 'Precondition Failed',
  429: 'Too Many Requests',
  499: 'Client Closed Request',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};

/** The problem document of an error. Never holds a stack or a cause; the message of an internal error is withheld. */
export function toProblem(error: ServiceError, traceId?: string): Problem {
  const status = error.kind.http;
  const title = TITLES[status] ?? 'Error';
  return {
    type: 'about:blank',
    title,
    status,
    detail: status === 500 ? 'Something went wrong on our side.' : error.message,
    code: error.code,
    params: error.params,
    ...(error.violations.length > 0 ? { violations: error.violations } : {}),
    ...(traceId === undefined ? {} : { trace_id: traceId }),
  };
}
