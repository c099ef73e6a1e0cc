import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { silentLogger, sleep } from '@talaria/base';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import type { Flow } from './flow.ts';
import { INSTANCES, type Fault } from './plan.ts';
import type { Receiver } from './receiver.ts';

/** What does harm, and undoes it. */
export interface Injector {
  /** Does it; resolves when it is over, where it has an end. Never rejects: answers what came of it. */
  inject(fault: Fault): Promise<string>;
  /** Undoes everything that lasts. */
  heal(): Promise<void>;
  close(): void;
}

const GONE_MS = 10_000;
/** How long a rolling restart waits for one instance; then it goes on, as an impatient person would. */
const BACK_MS = 20_000;
const CONTRACTS = { 'account-service': 'account.v1.AccountService', 'transaction-service': 'transaction.v1.TransactionService', 'webhook-service': 'webhook.v1.WebhookService' } as const satisfies Record<keyof typeof INSTANCES, string>;

function signal(pid: number | undefined, what: NodeJS.Signals): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(pid, what);
  } catch {
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** The rules of `faults.rules` for a fault of calls. */
function rulesFor(fault: Extract<Fault, { percentage: number }>): readonly object[] {
  const what = { 'slow calls': { delay: '300ms', jitter: '200ms' }, 'failing calls': { error: { code: 'UNAVAILABLE' } }, 'cut calls': { abort: { afterMessages: 0 } }, 'lost calls': { blackhole: true } }[fault.kind];
  return [{ id: fault.kind.replace(' ', '-'), side: 'server', percentage: fault.percentage, fault: what }];
}

/** Makes one for a flow. */
export function createInjector(flow: Flow, receiver: Receiver): Injector {
  const etcd: Etcd = connectEtcd({ endpoints: flow.etcdEndpoints, log: silentLogger });
  const frozen = new Set<number>();
  const ruled = new Set<string>();
  const healing = new AbortController();

  const pause = (ms: number): Promise<void> => sleep(ms, { signal: healing.signal }).catch(() => {});
  const untilGone = async (pid: number): Promise<void> => {
    for (const until = performance.now() + GONE_MS; isAlive(pid) && performance.now() < until; ) await pause(5);
  };
  const freeze = async (pid: number | undefined, ms: number): Promise<string> => {
    if (pid === undefined || !signal(pid, 'SIGSTOP')) return 'nobody was there';
    frozen.add(pid);
    await pause(ms);
    signal(pid, 'SIGCONT');
    frozen.delete(pid);
    return 'over';
  };
  const roll = async (app: keyof typeof INSTANCES): Promise<string> => {
    for (let index = 1; index <= INSTANCES[app] && !healing.signal.aborted; index++) {
      const name = `${app}#${index}`;
      const pid = flow.pidOf(name);
      signal(pid, 'SIGTERM');
      // The next one goes when this one is back in the registry.
      for (const until = performance.now() + BACK_MS; performance.now() < until && !healing.signal.aborted; await pause(50)) {
        const now = flow.pidOf(name);
        if (now === undefined || now === pid) continue;
        const { entries } = await etcd.list(`talaria/${flow.namespace}/services/${CONTRACTS[app]}/`).catch(() => ({ entries: [] }));
        if (entries.length >= INSTANCES[app]) break;
      }
    }
    return 'over';
  };
  const keyOf = (service: string): string => `talaria/${flow.namespace}/config/service/${service}/faults.rules`;
  const rule = async (fault: Extract<Fault, { percentage: number }>): Promise<string> => {
    try {
      ruled.add(fault.service);
      await etcd.put(keyOf(fault.service), JSON.stringify(rulesFor(fault)));
      await pause(fault.ms);
      await etcd.delete(keyOf(fault.service));
      return 'over';
    } catch (error) {
      return `etcd did not take it: ${(error as Error).message}`;
    }
  };

  const act = async (fault: Fault): Promise<string> => {
    const done = (found: boolean): string => (found ? 'done' : 'nobody was there');
    switch (fault.kind) {
      case 'kill':
        return done(signal(flow.pidOf(fault.process), 'SIGKILL'));
      case 'restart':
        return done(signal(flow.pidOf(fault.process), 'SIGTERM'));
      case 'freeze':
        return freeze(flow.pidOf(fault.process), fault.ms);
      case 'roll':
        return roll(fault.app as keyof typeof INSTANCES);
      case 'etcd killed':
        return done(signal(flow.pidOf('etcd'), 'SIGKILL'));
      case 'etcd frozen':
        return freeze(flow.pidOf('etcd'), fault.ms);
      case 'etcd emptied': {
        const pid = flow.pidOf('etcd');
        if (pid === undefined || !signal(pid, 'SIGKILL')) return 'nobody was there';
        await untilGone(pid);
        rmSync(join(flow.platform.stateDir, 'etcd'), { recursive: true, force: true });
        return 'done';
      }
      case 'postgres killed':
        return done(signal(flow.postmaster(), 'SIGKILL'));
      case 'postgres restarted':
        return done(signal(flow.postmaster(), 'SIGINT'));
      case 'receiver fails':
      case 'receiver hangs':
        receiver.mood = fault.kind === 'receiver fails' ? 'fails' : 'hangs';
        await pause(fault.ms);
        receiver.mood = 'well';
        return 'over';
      default:
        return rule(fault);
    }
  };

  return {
    inject: (fault) => act(fault).catch((error: unknown) => `failed: ${String(error)}`),
    async heal() {
      healing.abort();
      for (const pid of frozen) signal(pid, 'SIGCONT');
      receiver.mood = 'well';
      // etcd may be on its way back.
      for (const until = performance.now() + 60_000; ruled.size > 0; ) {
        const results = await Promise.allSettled([...ruled].map(async (service) => {
          await etcd.delete(keyOf(service));
          ruled.delete(service);
        }));
        if (results.some(({ status }) => status === 'rejected')) {
          if (performance.now() > until) throw new Error('The rules of the faults cannot be removed: etcd does not come back.');
          await sleep(200);
        }
      }
    },
    close: () => etcd.close(),
  };
}
