import { setting, z } from '@talaria/service';

/** What this service reads from its environment. */
export const settings = {
  TALARIA_WEBHOOK_ALLOW_LOOPBACK: setting(z.stringbool().default(false), {
    description: 'whether webhooks may point at this machine (loopback only); for development, set by `serve`',
  }),
};
