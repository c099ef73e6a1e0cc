import { HealthCheckResponse_ServingStatus as ServingStatus, HealthDefinition, type HealthServiceImplementation } from '@talaria/contracts/health/v1/health';
import { notFound } from '@talaria/errors';
import type { Health } from './health.ts';

/** The contract `grpc.health.v1.Health`. */
export const healthDefinition = HealthDefinition;

/** Resolves at the next change, or when one of the signals aborts. */
function nextChange(health: Health, signals: readonly AbortSignal[]): Promise<void> {
  if (signals.some(({ aborted }) => aborted)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stopListening();
      for (const signal of signals) signal.removeEventListener('abort', done);
      resolve();
    };
    const stopListening = health.onChange(done);
    for (const signal of signals) signal.addEventListener('abort', done, { once: true });
  });
}

/**
 * Serves `grpc.health.v1.Health`. Source: https://github.com/grpc/grpc/blob/master/doc/health-checking.md. Watches end
 * when the health is stopped: they would otherwise hold up the drain of the server.
 */
export function healthHandlers(health: Health): HealthServiceImplementation {
  return {
    async check({ service }) {
      const status = health.status(service);
      if (status === undefined) throw notFound('contract', `The contract ${service} is not served here.`, { params: { contract: service } });
      return { status };
    },
    async *watch({ service }, { signal }) {
      let last: ServingStatus | undefined;
      for (;;) {
        const status = health.status(service) ?? ServingStatus.SERVICE_UNKNOWN;
        // Armed before the status is sent: a change while the client reads slowly must not be missed.
        const change = nextChange(health, [signal, health.stopped]);
        if (status !== last) yield { status };
        last = status;
        if (signal.aborted || (health.stopped.aborted && status === (health.status(service) ?? ServingStatus.SERVICE_UNKNOWN))) return;
        await change;
      }
    },
    async list() {
      return { statuses: Object.fromEntries([...health.statuses()].map(([contract, status]) => [contract, { status }])) };
    },
  };
}
