import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRealPlatform, type RealPlatform } from '@talaria/testing';
import { INSTANCES } from './plan.ts';

/** The webhook flow as real processes. */
export interface Flow {
  readonly platform: RealPlatform;
  /** As `serve` says: where PostgreSQL is. */
  readonly databaseUrl: string;
  readonly etcdEndpoints: string;
  readonly namespace: string;
  /** The id of the process that goes by a name such as `account-service#2` or `etcd` now; undefined while there is none. */
  pidOf(name: string): number | undefined;
  /** The names of all apps' processes. */
  readonly names: readonly string[];
  /** The server process of PostgreSQL, which the launcher started. */
  postmaster(): number | undefined;
}

const NAMESPACE = 'chaos';

/** Short limits, so that what was interrupted is taken up again within seconds: nothing else is changed. */
const SETTINGS = {
  TALARIA_NAMESPACE: NAMESPACE,
  TALARIA_FAULTS: 'allow',
  LOG_LEVEL: 'warn',
  WEBHOOK_DELAYS: JSON.stringify(Array.from({ length: 60 }, () => '1s')),
  WEBHOOK_ATTEMPT_TIMEOUT: '2s',
  WEBHOOK_HOLD_MARGIN: '1s',
  ETCD_ENDPOINTS: undefined,
  DATABASE_URL: undefined,
};

function readJson<T>(file: string): T | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as T;
  } catch {
    return undefined;
  }
}

/** Starts it, with engines of its own. Resolves when it is ready. */
export async function startFlow(): Promise<Flow> {
  const several = Object.entries(INSTANCES).map(([app, count]) => `${app}=${count}`);
  const platform = await startRealPlatform({ app: 'webhook-api', args: [`--instances=${several.join(',')}`], env: SETTINGS });
  const file = readJson<{ database_url: string; etcd_endpoints: string; instances: Record<string, number> }>(join(platform.stateDir, 'platform.json'));
  if (!file) throw new Error(`serve is ready, but there is no ${platform.stateDir}/platform.json.`);
  return {
    platform,
    databaseUrl: file.database_url,
    etcdEndpoints: file.etcd_endpoints,
    namespace: NAMESPACE,
    names: Object.entries(file.instances).flatMap(([app, count]) => (count === 1 ? [app] : Array.from({ length: count }, (_, index) => `${app}#${index + 1}`))),
    pidOf: (name) => readJson<{ name: string; pid: number }[]>(join(platform.stateDir, 'processes.json'))?.find((each) => each.name === name)?.pid,
    postmaster() {
      for (const folder of ['postgres', 'postgres/data']) {
        try {
          return Number(readFileSync(join(platform.stateDir, folder, 'postmaster.pid'), 'utf8').split('\n')[0]) || undefined;
        } catch {
          // Not there.
        }
      }
      return undefined;
    },
  };
}
