import type { AccessRules, MethodRule } from '@talaria/auth';
import { contractMethods, type CompatServiceDefinition } from '@talaria/rpc';

/** One method that a service serves, as its contract describes it. */
export interface MethodInfo {
  /** `account.v1.AccountService`. */
  readonly contract: string;
  /** `GetAccount`. */
  readonly name: string;
  /** `/account.v1.AccountService/GetAccount`. */
  readonly path: string;
  /** Which sides stream. */
  readonly kind: 'unary' | 'server_streaming' | 'client_streaming' | 'bidi_streaming';
  /** Who may call it (`talaria.options.v1.access`). */
  readonly access: MethodRule;
  /** What a second call does (`google.protobuf.MethodOptions.idempotency_level`). */
  readonly idempotency: 'unknown' | 'no_side_effects' | 'idempotent';
  /** The longest a call may take (`talaria.options.v1.deadline`), in ms; undefined where the contract does not say. */
  readonly deadlineMs: number | undefined;
}

const IDEMPOTENCY: Readonly<Record<string, MethodInfo['idempotency']>> = { NO_SIDE_EFFECTS: 'no_side_effects', IDEMPOTENT: 'idempotent' };

/** The methods of a contract, in its order. */
export function methodInfos(definition: CompatServiceDefinition, rules: AccessRules): MethodInfo[] {
  return contractMethods(definition).map(({ contract, name, path, requestStream, responseStream, options, deadlineMs }) => {
    const streaming = requestStream ? (responseStream ? 'bidi_streaming' : 'client_streaming') : responseStream ? 'server_streaming' : 'unary';
    return { contract, name, path, kind: streaming, access: rules.ruleOf(path), idempotency: IDEMPOTENCY[options.idempotencyLevel ?? ''] ?? 'unknown', deadlineMs };
  });
}
