import { LOG_LEVELS, type Logger } from '@talaria/base';
import { duration, etcdConfigSource, openConfig, setting, type Config, type ConfigSource, type LiveConfig } from '@talaria/config';
import type { Etcd } from '@talaria/etcd';
import { samplingRatio } from '@talaria/telemetry';
import { z } from 'zod';
import { faultRulesSetting, faultsAllowed } from './fault-rules.ts';
import type { PlatformSettings } from './platform-settings.ts';
import { CALL_POLICIES } from './policy-setting.ts';
import { SERVER_ADMISSION, SERVER_LIMITS } from './server-settings.ts';
import type { Platform } from './types.ts';

const lowerCase = (given: unknown): unknown => (typeof given === 'string' ? given.trim().toLowerCase() : given);

/** The live settings of every service. */
const BUILT_IN = {
  'log.level': setting(z.preprocess(lowerCase, z.enum(LOG_LEVELS)).default('info'), { description: 'the least severe events that are written' }),
  'telemetry.sampling': setting(z.number().min(0).max(1).default(1), {
    description: 'the share of new traces that is sampled, from 0 to 1',
    env: 'OTEL_TRACES_SAMPLER_ARG',
    fromEnv: samplingRatio,
  }),
  'call.deadlines': setting(
    z.record(z.string().regex(/^[A-Za-z_][\w.]*(?:\/[A-Za-z_]\w*)?$/, 'use a contract or a method, such as account.v1.AccountService/GetAccount'), duration({ min: 1 })).default({}),
    { description: 'how long calls may take, by method or contract, instead of what the contract says', unit: 'ms' },
  ),
  'call.policies': CALL_POLICIES,
  'server.admission': SERVER_ADMISSION,
  'server.limits': SERVER_LIMITS,
} as const;

/** The live settings of a service. */
export interface ServiceConfig extends LiveConfig {
  /** Those of the platform itself. */
  readonly builtIn: Config<typeof BUILT_IN & { readonly 'faults.rules': ReturnType<typeof faultRulesSetting> }>;
  /** Whether live values come from somewhere. */
  readonly isFollowed: boolean;
}

/** What a service's live settings are made of. */
export interface ServiceConfigParts {
  readonly name: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  readonly settings: PlatformSettings;
  readonly platform: Platform;
  /** Connects. */
  readonly etcd: () => Etcd;
}

/** Makes them: from etcd, or from what the platform was given. */
export function serviceConfig({ name, env, log, settings, platform, etcd }: ServiceConfigParts): ServiceConfig {
  const inEtcd = !(platform.registry && platform.resolver);
  const config = openConfig({
    service: name,
    instance: settings.instance,
    env,
    log,
    // Not kept unless a folder is named: in one of its own choice it could meet what a service of another platform knew.
    stateDir: env['TALARIA_STATE_DIR'] || undefined,
    get version() {
      return settings.version;
    },
    get namespace() {
      return settings.namespace;
    },
    get source(): ConfigSource | undefined {
      return platform.config ?? (inEtcd ? etcdConfigSource({ etcd: etcd(), log, namespace: settings.namespace }) : undefined);
    },
  });
  return { ...config, builtIn: config.declare({ ...BUILT_IN, 'faults.rules': faultRulesSetting(faultsAllowed(env)) }), isFollowed: inEtcd || platform.config !== undefined };
}
