import { SpanStatusCode, type Attributes, type Span } from '@opentelemetry/api';
import { systemClock } from '@talaria/base';
import { currentCall, type Call } from '@talaria/context';
import { ErrorSet, isUnforeseen as isFault, ServiceError } from '@talaria/errors';
import { ClientError, ServerError, Status } from 'nice-grpc-common';

/** What spans and log lines say of a method. Attribute names: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/ */
export interface MethodFacts {
  /** `account.v1.AccountService/GetAccount`. */
  readonly name: string;
  readonly attributes: Attributes;
  /** What the platform asks of instances (health, reflection, topology): such streams never end, polls do not either, and nobody asks for their traces. */
  readonly infrastructure: boolean;
}

const known = new Map<string, MethodFacts>();

/** Facts by path; made once for each. Paths come from contracts, so there are few. */
export function methodFacts(path: string): MethodFacts {
  let facts = known.get(path);
  if (facts === undefined) {
    const name = path.replace(/^\//, '');
    const slash = name.lastIndexOf('/');
    facts = {
      name,
      attributes: { 'rpc.system': 'grpc', 'rpc.service': name.slice(0, slash), 'rpc.method': name.slice(slash + 1) },
      infrastructure: name.startsWith('grpc.health.') || name.startsWith('grpc.reflection.') || name.startsWith('talaria.topology.'),
    };
    known.set(path, facts);
  }
  return facts;
}

/** Whether an error is neither one that code throws on purpose nor an abort: a fault of the code. */
export function isUnforeseen(error: unknown): boolean {
  return !(error instanceof ServerError || error instanceof ClientError) && isFault(error);
}

/** The gRPC status that an error leaves the process with. */
export function statusOf(error: unknown): Status {
  if (error instanceof ServiceError) return error.kind.grpc;
  if (error instanceof ErrorSet) return error.combined.kind.grpc;
  if (error instanceof ServerError || error instanceof ClientError) return error.code;
  if (isUnforeseen(error)) return Status.INTERNAL;
  return error instanceof Error && error.name === 'TimeoutError' ? Status.DEADLINE_EXCEEDED : abortStatus();
}

/** Why the current call was aborted: its deadline passed, or the caller hung up. */
export function abortStatus({ deadline, clock = systemClock }: Call = currentCall()): Status {
  // A timer may fire up to a millisecond early.
  return deadline !== undefined && deadline - clock.monotonic() <= 1 ? Status.DEADLINE_EXCEEDED : Status.CANCELLED;
}

const SERVER_FAULTS: ReadonlySet<Status> = new Set([Status.UNKNOWN, Status.DEADLINE_EXCEEDED, Status.UNIMPLEMENTED, Status.INTERNAL, Status.UNAVAILABLE, Status.DATA_LOSS]);

/** Whether a status says that the server failed, not that the request was wrong. */
export function isServerFault(status: Status): boolean {
  return SERVER_FAULTS.has(status);
}

/** Ends a span with the outcome of its call. */
export function endSpan(span: Span, status: Status, failed: boolean, error?: unknown): void {
  span.setAttribute('rpc.grpc.status_code', status);
  if (failed) {
    span.setAttribute('error.type', error instanceof ServiceError ? error.code : error instanceof ErrorSet ? error.combined.code : Status[status]);
    span.setStatus(error instanceof Error ? { code: SpanStatusCode.ERROR, message: error.message } : { code: SpanStatusCode.ERROR });
  }
  span.end();
}
