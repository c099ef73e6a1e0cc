import { currentCall } from '@talaria/context';
import { Metadata, type ClientMiddleware } from 'nice-grpc-common';
import { CALLER_KEY, PASSPORT_KEY } from './names.ts';
import { type ServiceTokens } from './service-tokens.ts';

/**
 * Says with each call who makes it (this service's token, always) and on whose behalf (the passport of the ambient call; one
 * that stands in the metadata counts only outside of such a call, as in scripts).
 */
export function authClientMiddleware(options: { readonly tokens: ServiceTokens }): ClientMiddleware {
  const { tokens } = options;
  return async function* auth(call, callOptions) {
    const metadata = Metadata(callOptions.metadata).set(CALLER_KEY, await tokens.token());
    const { passport } = currentCall();
    if (passport !== undefined) metadata.set(PASSPORT_KEY, passport);
    return yield* call.next(call.request, { ...callOptions, metadata });
  };
}
