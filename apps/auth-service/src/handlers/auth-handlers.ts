import { type AuthServiceDefinition } from '@talaria/contracts/auth/v1/auth';
import { currentCall, principal, type ServiceImplementation } from '@talaria/service';
import { type AuthLogic } from '../logic/auth-logic.ts';

/** The contract on the logic. */
export function authHandlers(logic: AuthLogic): ServiceImplementation<AuthServiceDefinition> {
  return {
    issueToken: async (request) => ({ ...(await logic.issue(request)), tokenType: 'Bearer' }),
    exchangeToken: ({ accessToken }) => logic.exchange(accessToken),
    getKeys: async () => ({ jwks: await logic.jwks() }),
    async whoAmI() {
      const { id, clientId, scopes } = principal();
      return { authenticated: true, clientId, userId: id, scopes: [...scopes], caller: currentCall().caller?.service ?? '' };
    },
  };
}
