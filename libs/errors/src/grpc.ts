import { BadRequest, ErrorInfo, RetryInfo } from '@talaria/contracts/google/rpc/error_details';
import { Status as RpcStatus } from '@talaria/contracts/google/rpc/status';
import { Metadata, type Status } from 'nice-grpc-common';
import { kindNameOfStatus, kindOf } from './catalogue.ts';
import { ServiceError } from './service-error.ts';

/** The trailer that carries a `google.rpc.Status`. Source: https://google.aip.dev/193 */
const DETAILS_KEY = 'grpc-status-details-bin';
const TYPE = 'type.googleapis.com/google.rpc.';
const DOMAIN = 'talaria';

/** gRPC wants the whole trailer well below the peer's limit, which for many is 8 KiB. */
const MAX_DETAILS_BYTES = 4096;
const MAX_MESSAGE_CHARACTERS = 1024;

/** An error as gRPC carries it. */
export interface WireError {
  readonly status: Status;
  readonly message: string;
  readonly trailer: Metadata;
}

/** As it goes to a peer. The cause and the stack stay here. */
export function toWire(error: ServiceError): WireError {
  const status = error.kind.grpc;
  const message = error.message.slice(0, MAX_MESSAGE_CHARACTERS);
  const info = ErrorInfo.encode({
    reason: error.code.replaceAll('.', '_').toUpperCase().slice(0, 63),
    domain: DOMAIN,
    metadata: { ...error.params, code: error.code, retryable: String(error.retryable), hops: String(error.hops), attempts: String(error.attempts) },
  }).finish();
  const details = [{ typeUrl: `${TYPE}ErrorInfo`, value: Buffer.from(info) }];
  if (error.retryAfterMs !== undefined) {
    const retryDelay = { seconds: BigInt(Math.floor(error.retryAfterMs / 1000)), nanos: Math.round((error.retryAfterMs % 1000) * 1e6) };
    details.push({ typeUrl: `${TYPE}RetryInfo`, value: Buffer.from(RetryInfo.encode({ retryDelay }).finish()) });
  }
  if (error.violations.length > 0) {
    const fieldViolations = error.violations.slice(0, 20).map(({ field, description }) => ({ field, description, reason: '' }));
    details.push({ typeUrl: `${TYPE}BadRequest`, value: Buffer.from(BadRequest.encode({ fieldViolations }).finish()) });
  }
  const encode = (some: typeof details): Uint8Array => RpcStatus.encode({ code: status, message, details: some }).finish();
  let bytes = encode(details);
  while (bytes.length > MAX_DETAILS_BYTES && details.length > 0) {
    details.pop();
    bytes = encode(details);
  }
  return { status, message, trailer: Metadata({ [DETAILS_KEY]: bytes }) };
}

function decode(bytes: Uint8Array): { info?: ErrorInfo; retry?: RetryInfo; bad?: BadRequest } {
  try {
    const found: { info?: ErrorInfo; retry?: RetryInfo; bad?: BadRequest } = {};
    for (const { typeUrl, value } of RpcStatus.decode(bytes).details) {
      if (typeUrl === `${TYPE}ErrorInfo`) found.info = ErrorInfo.decode(value);
      if (typeUrl === `${TYPE}RetryInfo`) found.retry = RetryInfo.decode(value);
      if (typeUrl === `${TYPE}BadRequest`) found.bad = BadRequest.decode(value);
    }
    return found;
  } catch {
    // A peer's broken trailer must not hide the status that came with it.
    return {};
  }
}

/** What an error says beside its status and message, as a peer sent it. */
export type WireDetails = Pick<ServiceError, 'code' | 'params' | 'retryable' | 'retryAfterMs' | 'violations' | 'hops' | 'attempts'>;

/** Reads what a trailer says of an error. Cheaper than making an error of it. */
export function wireDetails(status: Status, trailer?: Metadata): WireDetails {
  const bytes = trailer?.get(DETAILS_KEY);
  const { info, retry, bad } = bytes instanceof Uint8Array ? decode(bytes) : {};
  const ours = info?.domain === DOMAIN ? info.metadata : undefined;
  const { code = kindNameOfStatus(status), retryable, hops, attempts, ...params } = ours ?? {};
  const delay = retry?.retryDelay;
  return {
    code,
    params: ours ? params : (info?.metadata ?? {}),
    retryable: retryable === undefined ? kindOf(code).retryable : retryable === 'true',
    retryAfterMs: delay ? Number(delay.seconds) * 1000 + delay.nanos / 1e6 : undefined,
    violations: (bad?.fieldViolations ?? []).map(({ field, description }) => ({ field, description })),
    hops: Number(hops) || 0,
    attempts: Number(attempts) || 0,
  };
}

/**
 * As a peer sent it. Without our details (another platform's service), the code is the bare kind of the status. `attempts` is how
 * many were made here; it counts if it is more than what the peer says.
 */
export function fromWire(status: Status, message: string, trailer?: Metadata, cause?: unknown, attempts = 0): ServiceError {
  const { code, ...details } = wireDetails(status, trailer);
  return new ServiceError(code, message, { ...details, hops: details.hops + 1, attempts: Math.max(attempts, details.attempts), cause });
}
