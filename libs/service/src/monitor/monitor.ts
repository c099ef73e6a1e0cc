import type { Elections, Logger } from '@talaria/base';
import { detached } from '@talaria/context';
import type { HealthReports } from '@talaria/discovery';
import type { Resolver } from '@talaria/rpc';
import type { DirectClients } from '../topology/direct-clients.ts';

/** Looks at the instances of its service from outside, if it is elected to, and publishes what it finds. */
export interface Monitor {
  /** Campaigns from now on. */
  start(): void;
  /** Takes back what it has published, and lets another one be elected. Never rejects. */
  stop(): Promise<void>;
}

/** What a monitor works with. */
export interface MonitorOptions {
  readonly log: Logger;
  /** The service whose instances it looks at. */
  readonly service: string;
  /** The id of this instance. */
  readonly instance: string;
  readonly elections: () => Elections;
  readonly reports: () => HealthReports;
  readonly resolver: Resolver;
  /** The contracts that its instances are registered under. */
  readonly contracts: () => readonly string[];
  readonly clients: () => DirectClients;
  /** The pause between two polls, in ms. Default 10,000. */
  readonly intervalMs?: number | undefined;
  /** How long an instance may take to answer, in ms. Default 2,000. */
  readonly timeoutMs?: number | undefined;
  /** How long after its start it campaigns, in ms: a start has better things to do. Default 2,000. */
  readonly delayMs?: number | undefined;
}

const DELAY_MS = 2_000;

/** Makes the monitor of a service. Its code is loaded when it begins. */
export function createMonitor(options: MonitorOptions): Monitor {
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let work = Promise.resolve();
  return {
    start() {
      if (stopping.signal.aborted || timer) return;
      const begin = async (): Promise<void> => {
        const { runMonitor } = await import('./run-monitor.ts');
        await runMonitor(options, stopping.signal);
      };
      detached(() => {
        timer = setTimeout(() => (work = begin().catch((error: unknown) => options.log.error('the monitor has failed', { err: error }))), options.delayMs ?? DELAY_MS);
        timer.unref();
      });
    },
    async stop() {
      clearTimeout(timer);
      stopping.abort(new Error('The service stops.'));
      await work;
    },
  };
}
