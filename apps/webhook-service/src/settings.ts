import { duration, setting, z } from '@talaria/service';
import { DELAYS_MS } from './logic/schedule.ts';

const DAY_MS = 86_400_000;

/** What this service reads from its environment. */
export const settings = {
  TALARIA_WEBHOOK_ALLOW_LOOPBACK: setting(z.stringbool().default(false), {
    description: 'whether webhooks may point at this machine (loopback only); for development, set by `serve`',
  }),
};

/**
 * What may change while it runs. No combination of them is wrong: a hold is the timeout of its attempt and `webhook.hold_margin`
 * together, and of two limits on concurrency the lower one counts.
 */
export const liveSettings = {
  'webhook.delays': setting(z.array(duration({ min: 100, max: 7 * DAY_MS })).max(100).default([...DELAYS_MS]), {
    description: 'how long after each failed attempt the next one follows, give or take a fifth; there is one attempt more than delays. Deliveries that wait already keep their time',
    unit: 'ms',
  }),
  'webhook.attempt_timeout': setting(duration({ min: 100, max: 300_000 }).default(15_000), { description: 'how long a receiver may take to answer; Standard Webhooks asks for 15 to 30 s', unit: 'ms' }),
  'webhook.hold_margin': setting(duration({ min: 1_000, max: 600_000 }).default(10_000), {
    description: 'how much longer than its attempt may take a delivery is held, until it counts as that of a dead worker and another one takes it',
    unit: 'ms',
  }),
  'webhook.concurrency': setting(z.number().int().min(1).max(10_000).default(128), { description: 'how many attempts an instance makes at a time', unit: 'attempts' }),
  'webhook.concurrency_per_webhook': setting(z.number().int().min(1).max(10_000).default(8), {
    description: 'how many of them go to one webhook, over all instances, so that a receiver that is slow holds up nobody else',
    unit: 'attempts',
  }),
};
