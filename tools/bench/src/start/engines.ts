import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateServiceKey } from '@talaria/auth';

/** What services stand on while they are measured. */
export interface Engines {
  /** The environment of the process of a service. */
  environment(service: string): NodeJS.ProcessEnv;
  stop(): Promise<void>;
}

async function startEngine(root: string, args: readonly string[]): Promise<{ readonly child: ChildProcess; readonly says: Readonly<Record<string, unknown>> }> {
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`${args[0]} ended with code ${code}`);
  });
  const [says] = (await Promise.race([once(child, 'message'), ended])) as [Record<string, unknown>];
  ended.catch(() => {}); // From now on it ends when it is told to.
  return { child, says };
}

async function stopEngine(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}

/** Starts etcd and PostgreSQL, unless ETCD_ENDPOINTS and DATABASE_URL name some, and makes the services' keys. */
export async function startEngines(root: string, services: readonly string[]): Promise<Engines> {
  const folder = mkdtempSync(join(tmpdir(), 'talaria-bench-'));
  // PostgreSQL refuses to run as root, and then runs as somebody who has to get in.
  chmodSync(folder, 0o755);
  const children: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(children.map(stopEngine));
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    let { ETCD_ENDPOINTS: etcd, DATABASE_URL: database } = process.env;
    if (!etcd) {
      const { child, says } = await startEngine(root, ['tools/etcd/src/main.ts', '--in-memory', '--listen', '127.0.0.1:0']);
      children.push(child);
      etcd = `http://${String(says['address'])}`;
    }
    if (!database) {
      const { child, says } = await startEngine(root, ['tools/postgres/src/main.ts', '--data-dir', join(folder, 'postgres')]);
      children.push(child);
      database = String(says['url']);
    }
    const keys = await Promise.all(services.map(generateServiceKey));
    const keyFile = (service: string): string => join(folder, `${service}.jwk`);
    services.forEach((service, index) => writeFileSync(keyFile(service), JSON.stringify(keys[index]?.privateJwk), { mode: 0o600 }));
    const publicKeys = join(folder, 'services.jwks.json');
    writeFileSync(publicKeys, JSON.stringify({ keys: keys.map(({ publicJwk }) => publicJwk) }));
    const namespace = `bench-${randomBytes(4).toString('hex')}`;
    return {
      environment: (service) => ({
        ...process.env,
        ETCD_ENDPOINTS: etcd,
        DATABASE_URL: database,
        TALARIA_NAMESPACE: namespace,
        TALARIA_SERVICE_KEY_FILE: keyFile(service),
        TALARIA_SERVICE_KEYS_FILE: publicKeys,
        TALARIA_LISTEN: 'h2c://127.0.0.1:0',
        PORT: '0',
        LOG_FORMAT: 'json',
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
