import { randomBytes } from 'node:crypto';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { z } from 'zod';
import { duration } from '../../duration.ts';
import { keyringOf, type ConfigKeyring } from '../../secrets.ts';
import { configStore, type ConfigStore } from '../index.ts';

/** A key of AES-256, as TALARIA_CONFIG_KEYS takes it. */
export const key = (id: string): string => `${id}:${randomBytes(32).toString('base64')}`;

/** What the service of the tests takes. */
export const SETTINGS: Readonly<Record<string, { readonly schema: z.ZodType; readonly secret?: true; readonly live?: false; readonly default?: unknown }>> = {
  'log.level': { schema: z.enum(['debug', 'info', 'warn']).default('info'), default: 'info' },
  'telemetry.sampling': { schema: z.number().min(0).max(1).default(1), default: 1 },
  'webhook.delays': { schema: z.array(duration()).min(1).max(20) },
  'webhook.name': { schema: z.string().min(1).optional() },
  'webhook.workers': { schema: z.int().min(1).max(100), live: false },
  'mail.password': { schema: z.string().min(8), secret: true },
};

/** A namespace of its own in an etcd, with what services would publish. */
export interface Fixture {
  readonly etcd: Etcd;
  readonly namespace: string;
  readonly keyring: ConfigKeyring;
  /** The store, as somebody sees it. */
  store(who?: string, keyring?: ConfigKeyring): ConfigStore;
  publish(service: string, version: string, names?: readonly string[]): Promise<void>;
  /** What a running instance says that it has applied. */
  show(service: string, version: string, instance: string, state?: { readonly revision?: bigint; readonly settings?: Readonly<Record<string, object>> }): Promise<void>;
  /** Ends all instances. */
  endInstances(): Promise<void>;
  key(rest: string): string;
  close(): void;
}

let namespaces = 0;

/** Makes one. */
export function fixture(endpoint: string): Fixture {
  const etcd = connectEtcd({ endpoints: endpoint, log });
  const namespace = `ns${process.pid}-${namespaces++}`;
  const keyring = keyringOf({ TALARIA_CONFIG_KEYS: key('k1') });
  const at = (rest: string): string => `talaria/${namespace}/${rest}`;
  let lease: string | undefined;
  return {
    etcd,
    namespace,
    keyring,
    store: (who = 'ada', ring = keyring) => configStore({ etcd, namespace, keyring: ring, who }),
    async publish(service, version, names = Object.keys(SETTINGS)) {
      const settings = Object.fromEntries(
        names.map((name) => {
          const { schema = z.unknown(), secret, live = true, default: byDefault } = SETTINGS[name] ?? {};
          return [name, { description: `what ${name} is for`, ...(byDefault === undefined ? {} : { default: byDefault }), ...(secret ? { secret } : {}), live, env: name.replaceAll('.', '_').toUpperCase(), schema: z.toJSONSchema(schema, { io: 'input' }) }];
        }),
      );
      await etcd.put(at(`schemas/${service}@${version}`), JSON.stringify({ service, version, settings }));
    },
    async show(service, version, instance, { revision = 0n, settings } = {}) {
      lease ??= (await etcd.leases.grant(600)).id;
      const shown = settings ?? Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, { layers: {} }]));
      await etcd.put(at(`applied/${service}/${instance}`), JSON.stringify({ service, version, instance, revision: String(revision), settings: shown }), { lease });
    },
    async endInstances() {
      if (lease !== undefined) await etcd.leases.revoke(lease);
      lease = undefined;
    },
    key: at,
    close: () => etcd.close(),
  };
}
