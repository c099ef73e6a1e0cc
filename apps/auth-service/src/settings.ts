import { setting, z } from '@talaria/service';

/** What this service reads from its environment. */
export const settings = {
  TALARIA_SERVICE_KEYS_FILE: setting(z.string().min(1).optional(), {
    description: 'a JWK Set with the public keys of all services; read again when it changes',
  }),
  TALARIA_DEV_CLIENTS: setting(z.stringbool().default(false), {
    description: 'whether the clients dev and dev2, whose secrets everybody knows, work; for development, set by `serve`',
  }),
};
