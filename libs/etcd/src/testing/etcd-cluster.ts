import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Etcd3 } from 'etcd3';
import { freeHost } from './free-host.ts';

/** A cluster of real etcd's members, for tests that do things to them. */
export interface EtcdCluster {
  readonly endpoints: readonly string[];
  /** Which member leads: its place in `endpoints`. Waits for one. */
  leader(): Promise<number>;
  /** kill -9. */
  kill(member: number): Promise<void>;
  /** SIGSTOP. */
  freeze(member: number): void;
  /** SIGCONT. */
  thaw(member: number): void;
  /** Starts a killed member again, with its data. */
  start(member: number): void;
  /** Saves a backup of the whole store. */
  backup(): Promise<string>;
  /** Kills all members and starts them with what the backup had. */
  restore(backup: string): Promise<void>;
  /** Kills all, and removes their data. */
  stop(): Promise<void>;
}

const LIMIT_MS = 60_000;

/** Starts a cluster of `size` members on loopback. Resolves when it has a leader. */
export async function startCluster(size: number): Promise<EtcdCluster> {
  const root = await mkdtemp(join(tmpdir(), 'talaria-etcd-cluster-'));
  const hosts = await Promise.all(Array.from({ length: size }, async () => ({ client: `http://${await freeHost()}`, peer: `http://${await freeHost()}` })));
  const cluster = hosts.map(({ peer }, at) => `m${at}=${peer}`).join(',');
  const children: (ChildProcess | undefined)[] = [];
  let generation = 0;
  const folder = (member: number): string => join(root, `${generation}-${member}`);
  const identity = (member: number): string[] => ['--name', `m${member}`, '--initial-cluster', cluster, '--initial-advertise-peer-urls', hosts[member]?.peer ?? ''];
  const etcdctl = (...args: string[]): Promise<unknown> => promisify(execFile)('etcdctl', args, { env: { ...process.env, ETCDCTL_API: '3' }, timeout: LIMIT_MS });

  const start = (member: number): void => {
    const { client, peer } = hosts[member] as { client: string; peer: string };
    const listen = ['--listen-client-urls', client, '--advertise-client-urls', client, '--listen-peer-urls', peer];
    const child = spawn('etcd', ['--data-dir', folder(member), '--log-level', 'fatal', ...identity(member), ...listen], { stdio: 'ignore' });
    child.unref();
    children[member] = child;
  };
  const kill = async (member: number): Promise<void> => {
    const child = children[member];
    children[member] = undefined;
    if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  };
  const killAll = async (): Promise<void> => void (await Promise.all(hosts.map((_, member) => kill(member))));

  const leader = async (): Promise<number> => {
    const until = performance.now() + LIMIT_MS;
    for (let member = 0; performance.now() < until; member = (member + 1) % size) {
      if (!children[member]) continue;
      const asked = new Etcd3({ hosts: hosts[member]?.client ?? '' });
      try {
        const within = (): { deadline: number } => ({ deadline: Date.now() + 2000 });
        const { leader: id } = await asked.maintenance.status(within());
        const { members } = await asked.cluster.memberList({}, within());
        const found = members.find(({ ID }) => ID === id);
        if (id !== '0' && found && children[Number(found.name.slice(1))]) return Number(found.name.slice(1));
      } catch {
        // Not up, or frozen: the next one knows.
      } finally {
        asked.close();
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error('the cluster has no leader');
  };

  const stop = async (): Promise<void> => {
    await killAll();
    await rm(root, { recursive: true, force: true });
  };
  for (let member = 0; member < size; member++) start(member);
  await leader().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return {
    endpoints: hosts.map(({ client }) => client),
    leader,
    kill,
    freeze: (member) => void children[member]?.kill('SIGSTOP'),
    thaw: (member) => void children[member]?.kill('SIGCONT'),
    start,
    async backup() {
      const file = join(root, `backup-${generation}`);
      await etcdctl('--endpoints', hosts[await leader()]?.client ?? '', 'snapshot', 'save', file);
      return file;
    },
    async restore(backup) {
      await killAll();
      generation++;
      for (let member = 0; member < size; member++) await etcdctl('snapshot', 'restore', backup, '--data-dir', folder(member), ...identity(member));
      for (let member = 0; member < size; member++) start(member);
      await leader();
    },
    stop,
  };
}
