import { context as otel } from '@opentelemetry/api';
import { withCall, type Call } from '@talaria/context';
import { ServiceError } from '@talaria/errors';
import { nextIn } from '@talaria/rpc';
import { type Metadata, type ServerMiddleware } from 'nice-grpc-common';
import { type AccessRules } from './access-rules.ts';
import { enforce } from './enforce.ts';
import { type FindOptions } from './key-source.ts';
import { CALLER_KEY, PASSPORT_KEY } from './names.ts';
import { type Verifier } from './verifier.ts';

/** Who calls, and for whom: `undefined` where nothing is proven. */
type Identity = Required<Pick<Call, 'caller' | 'principal' | 'passport'>>;

const NOBODY: Identity = { caller: undefined, principal: undefined, passport: undefined };

async function authenticate(verifier: Verifier, metadata: Metadata, find?: FindOptions): Promise<Identity> {
  const callerToken = metadata.get(CALLER_KEY);
  const passport = metadata.get(PASSPORT_KEY);
  return {
    caller: callerToken === undefined ? undefined : await verifier.serviceToken(callerToken, find),
    principal: passport === undefined ? undefined : (await verifier.passport(passport, find)).principal,
    passport,
  };
}

/** Tokens that a method does not ask for: good ones count, others are as if they were not there, and nothing is waited for. */
async function authenticateIfPossible(verifier: Verifier, metadata: Metadata): Promise<Identity> {
  try {
    return await authenticate(verifier, metadata, { knownOnly: true });
  } catch (error) {
    if (error instanceof ServiceError) return NOBODY;
    throw error;
  }
}

/**
 * Authenticates each call by its service token and passport, puts `caller`, `principal` and `passport` into the ambient call
 * (whatever was there before is never trusted), and enforces the method's rule before the handler runs.
 */
export function authServerMiddleware(options: { readonly verifier: Verifier; readonly rules: AccessRules }): ServerMiddleware {
  const { verifier, rules } = options;
  return async function* auth(call, context) {
    const rule = rules.ruleOf(call.method.path);
    const identity = await identify(context.metadata);
    enforce(rule, identity);

    return yield* nextIn(withCall(otel.active(), identity), call, call.request, context);

    function identify(metadata: Metadata): Promise<Identity> | Identity {
      if (rule.kind === 'exempt') return NOBODY;
      return rule.kind === 'anyone' ? authenticateIfPossible(verifier, metadata) : authenticate(verifier, metadata);
    }
  };
}
