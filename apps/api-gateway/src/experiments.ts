import { type FeatureFlags } from '@talaria/flags';
import { type BaggageFor } from '@talaria/http';

/** Names the device that a request comes from; whoever calls may choose it. */
const DEVICE_HEADER = 'x-device-id';

/** Decides once, at the edge, which experiments a call takes part in: by its customer, by the account that it is about, and by its device. */
export function experimentBaggage(flags: Pick<FeatureFlags, 'baggage'>): BaggageFor {
  return (call) => {
    const { contract, method, service } = call;
    const subjects = { customer: call.principal?.id, account: call.field('account_id'), device: call.header(DEVICE_HEADER) };
    return flags.baggage(subjects, { contract, method, service });
  };
}
