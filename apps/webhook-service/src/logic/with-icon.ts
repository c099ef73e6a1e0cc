import { type FeatureFlags } from '@talaria/flags';
import { type Envelope } from '@talaria/messaging';

/** The flag, and experiment, that says which icon stands before the description of a transaction; none if it is empty. */
const FLAG = 'transaction-icons';

/**
 * Gives the transaction of an event the icon of the customer whose call caused it: what was decided for that call at the edge came
 * along with the event, so that a webhook shows what the answer of the call showed.
 */
export function withIcon(flags: Pick<FeatureFlags, 'client'>): (event: Envelope) => Promise<Envelope> {
  const client = flags.client();
  return async (event) => {
    const icon = await client.getStringValue(FLAG, '');
    if (icon === '') return event;
    const data = event.data as { readonly description: string };
    return { ...event, data: { ...data, description: `${icon} ${data.description}` } };
  };
}
