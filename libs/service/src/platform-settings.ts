import { LOG_FORMATS, LOG_OUTPUTS, newId, type LogFormat, type LogOutput } from '@talaria/base';
import { setting } from '@talaria/config';
import { credentialsFrom, type CredentialsSource } from '@talaria/etcd';
import { z } from 'zod';
import type { SettingReader } from './setting-reader.ts';
import type { ServiceOptions } from './types.ts';

const HOST_AND_PORT = /^(\[[0-9a-fA-F:.]+\]|[^\s/:[\]]+):\d{1,5}$/;

const SHAPE = {
  TALARIA_NAMESPACE: setting(z.string().regex(/^[\w.-]+$/, 'use letters, digits, ".", "_" and "-"').default('default'), { description: 'keeps platforms in one etcd apart' }),
  TALARIA_LISTEN: setting(z.string().regex(/^[a-z][a-z0-9+.-]*:\/\/\S+$/, 'use scheme://host:port').default('h2c://127.0.0.1:0'), { description: 'the address to listen on; port 0 takes a free one' }),
  TALARIA_ADVERTISE: setting(z.string().regex(HOST_AND_PORT, 'use host:port or [IPv6]:port').optional(), { description: 'where others reach this instance' }),
  TALARIA_ZONE: setting(z.string().optional(), { description: 'where this instance stands' }),
  TALARIA_VERSION: setting(z.string().optional(), { description: 'the version that this instance runs' }),
  TALARIA_SERVICE_KEY_FILE: setting(z.string().optional(), { description: 'the private JWK of this service' }),
  TALARIA_FAULTS: setting(z.enum(['allow', 'refuse']).default('refuse'), { description: 'whether the live setting faults.rules may break calls on purpose' }),
  LOG_FORMAT: setting(z.enum(LOG_FORMATS).optional(), { description: 'pretty for people, json or logfmt for machines; without it pretty on a terminal, else json' }),
  LOG_OUTPUT: setting(z.enum(LOG_OUTPUTS).default('stdout'), { description: 'the stream that events are written to' }),
} as const;

const ETCD = {
  ETCD_ENDPOINTS: setting(z.string({ error: 'run "npx nx serve <app>", which starts one and sets it, or set it to your etcd, such as http://127.0.0.1:2379' }), { description: 'where services find each other' }),
  ETCD_USERNAME: setting(z.string().optional(), { description: 'who this service is to etcd' }),
  ETCD_PASSWORD: setting(z.string().optional(), { description: 'the password of ETCD_USERNAME', secret: true }),
  TALARIA_ETCD_CREDENTIALS_FILE: setting(z.string().optional(), { description: 'who this service is to etcd, in a file that may come later; used where ETCD_USERNAME is not set' }),
} as const;

/** What the platform itself takes from the environment. */
export interface PlatformSettings {
  readonly instance: string;
  readonly version: string;
  readonly namespace: string;
  readonly zone: string | undefined;
  readonly listen: string;
  readonly advertise: string | undefined;
  readonly keyFile: string | undefined;
  readonly logFormat: LogFormat | undefined;
  readonly logOutput: LogOutput;
  /** Undefined where a registry and a resolver are given. */
  readonly etcdEndpoints: string | undefined;
  /** Who this service is to etcd; undefined if nothing says so. */
  readonly etcdCredentials: CredentialsSource | undefined;
}

/** Reads the platform's own settings. A getter each: reading a wrong one throws, and nothing else does. */
export function platformSettings(reader: SettingReader, { version, platform = {} }: ServiceOptions, env: Readonly<Record<string, string | undefined>>): PlatformSettings {
  const read = reader.read(SHAPE);
  const etcd = platform.registry && platform.resolver ? undefined : reader.read(ETCD);
  return {
    instance: newId('inst'),
    get version() {
      return version ?? read.TALARIA_VERSION ?? (env['npm_package_version'] || 'dev');
    },
    get namespace() {
      return read.TALARIA_NAMESPACE;
    },
    get zone() {
      return read.TALARIA_ZONE;
    },
    get listen() {
      return platform.listen ?? read.TALARIA_LISTEN;
    },
    get advertise() {
      return read.TALARIA_ADVERTISE;
    },
    get keyFile() {
      return read.TALARIA_SERVICE_KEY_FILE;
    },
    get logFormat() {
      return read.LOG_FORMAT;
    },
    get logOutput() {
      return read.LOG_OUTPUT;
    },
    get etcdEndpoints() {
      return etcd?.ETCD_ENDPOINTS;
    },
    get etcdCredentials() {
      return etcd && credentialsFrom({ username: etcd.ETCD_USERNAME, password: etcd.ETCD_PASSWORD, file: etcd.TALARIA_ETCD_CREDENTIALS_FILE });
    },
  };
}
