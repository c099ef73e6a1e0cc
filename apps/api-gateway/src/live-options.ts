import { type GatewayOptions } from '@talaria/http';
import { type Service } from '@talaria/service';
import { gatewayLimits } from './limits.ts';
import { ruleSettings } from './rules.ts';

/** What of the gateway may change while it runs: its limits and its rules. Declares them. */
export function liveOptions(service: Service): ReturnType<typeof gatewayLimits> & Pick<GatewayOptions, 'rules'> {
  return { ...gatewayLimits(service), rules: service.config(ruleSettings)['gateway.rules'] };
}
