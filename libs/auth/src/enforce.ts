import { type Call } from '@talaria/context';
import { forbidden, unauthorized } from '@talaria/errors';
import { type MethodRule } from './access-rules.ts';

/** Throws unless the rule allows the call: `unauthorized.caller`, `unauthorized.principal`, `forbidden.caller`, `forbidden.scope`. */
export function enforce(rule: MethodRule, { caller, principal }: Pick<Call, 'caller' | 'principal'>): void {
  if (rule.kind === 'exempt' || rule.kind === 'anyone') return;
  if (!caller) throw unauthorized('caller', 'The call has no service token: send one in x-talaria-caller.');
  if (rule.kind === 'services') {
    if (caller.edge && !rule.edges) throw forbidden('caller', 'The method is for services, and not for calls that come through an edge.', { params: { caller: caller.service } });
    if (rule.names && !rule.names.has(caller.service)) {
      throw forbidden('caller', `${caller.service} is not among the services that may call this method.`, { params: { caller: caller.service } });
    }
    return;
  }
  if (!principal) throw unauthorized('principal', 'The call is on nobody\'s behalf: send a token (at the edge) or a passport in x-talaria-passport (between services).');
  const missing = rule.scopes.filter((scope) => !principal.scopes.includes(scope));
  if (missing.length > 0) throw forbidden('scope', `The token lacks: ${missing.join(' ')}.`, { params: { scopes: missing.join(' ') } });
}
