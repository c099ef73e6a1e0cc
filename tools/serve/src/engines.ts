import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { toolProgram } from './installed.ts';
import { isAlive } from './process-identity.ts';
import { keptPorts } from './ports.ts';
import { readJson, writeJson } from './state-dir.ts';

/** An embedded engine that `serve` starts. */
export interface Engine {
  readonly name: 'etcd' | 'postgres';
  /** What `node` runs. */
  readonly args: readonly string[];
}

/** Where apps find what they stand on. */
export interface Backends {
  /** Those to start: none that the environment already points at. */
  readonly engines: readonly Engine[];
  /** The value of ETCD_ENDPOINTS. */
  readonly etcdEndpoints: string;
  /** The value of DATABASE_URL: undefined while unknown, or if no app keeps data. */
  readonly databaseUrl: string | undefined;
  /** Takes what PostgreSQL said that its URL is; answers whether that is news. */
  setDatabaseUrl(url: string): boolean;
}

/** Whether our own PostgreSQL, left running by a killed supervisor, holds this port: it will be adopted there. */
function isOurPostgres(dataDir: string, port: number): boolean {
  for (const folder of [dataDir, join(dataDir, 'data')]) {
    try {
      const lines = readFileSync(join(folder, 'postmaster.pid'), 'utf8').split('\n');
      if (Number(lines[3]) === port && isAlive(Number(lines[0]))) return true;
    } catch {
      // No server ran there.
    }
  }
  return false;
}

/** Says which engines of those installed at `root` to start, on the ports where they were before, as far as those are still free. */
export async function planEngines(root: string, stateDir: string, storage: boolean, env: NodeJS.ProcessEnv): Promise<Backends> {
  const ports = keptPorts(stateDir);
  const engines: Engine[] = [];
  let etcdEndpoints = env['ETCD_ENDPOINTS'] || undefined;
  if (etcdEndpoints === undefined) {
    const program = toolProgram(root, '@talaria/etcd-server', ', or set ETCD_ENDPOINTS to an etcd that runs');
    const listen = `127.0.0.1:${await ports.portFor('etcd')}`;
    engines.push({ name: 'etcd', args: [program, '--data-dir', join(stateDir, 'etcd'), '--listen', listen] });
    etcdEndpoints = `http://${listen}`;
  }

  const noted = join(stateDir, 'postgres.json');
  let databaseUrl = env['DATABASE_URL'] || undefined;
  if (databaseUrl === undefined && storage) {
    const program = toolProgram(root, '@talaria/postgres', ', or set DATABASE_URL to a PostgreSQL that runs');
    const dataDir = join(stateDir, 'postgres');
    const port = await ports.portFor('postgres', (kept) => isOurPostgres(dataDir, kept));
    engines.push({ name: 'postgres', args: [program, '--data-dir', dataDir, '--port', String(port)] });
    // From the second time on, apps need not wait for it to say where it is.
    const last = readJson<{ port: number; url: string }>(noted);
    if (last?.port === port) databaseUrl = last.url;
    return {
      engines,
      etcdEndpoints,
      get databaseUrl() {
        return databaseUrl;
      },
      setDatabaseUrl(url) {
        if (url === databaseUrl) return false;
        databaseUrl = url;
        writeJson(noted, { port, url });
        return true;
      },
    };
  }
  return { engines, etcdEndpoints, databaseUrl: storage ? databaseUrl : undefined, setDatabaseUrl: () => false };
}
