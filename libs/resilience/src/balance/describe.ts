import type { EndpointStats } from '@talaria/rpc';
import { isOut, type Instance } from './instance.ts';
import { BEST, rankOf } from './rank.ts';
import { rampOf } from './shares.ts';

function stateOf(instance: Instance, now: number, slowStartMs: number): EndpointStats['state'] {
  const { candidate, phase } = instance;
  const { endpoint, connection } = candidate;
  if (connection.state === 'closed') return 'draining';
  if (connection.state !== 'ready') return connection.state;
  if (phase === 'ejected') return 'ejected';
  if (endpoint.ready === false) return 'unready';
  if (phase !== 'in') return 'probation';
  return rampOf(instance, now, slowStartMs) < 1 ? 'slow_start' : 'ready';
}

/** What is known of an instance, for people. */
export function describeInstance(instance: Instance, now: number, slowStartMs: number): EndpointStats {
  const { candidate, unary, streams, stale, latencyMs, slowness, share, calls, failures, ejections, reason, outUntil, phase } = instance;
  const oldest = Math.min(...[unary, streams, stale].map(([first]) => first?.at ?? Infinity));
  const inFlight = unary.length + streams.length + stale.length;
  return {
    state: stateOf(instance, now, slowStartMs),
    inFlight,
    weight: isOut(instance) || (rankOf(instance) > BEST && candidate.endpoint.weight === 0) ? 0 : share,
    ...{ calls, failures, ejections },
    ...(latencyMs === undefined ? {} : { latencyMs, load: (latencyMs * Math.exp(Math.max(0, slowness)) * (inFlight + 1)) / (candidate.endpoint.weight || 1) }),
    ...(phase === 'ejected' ? { ejected: { reason, forMs: Math.max(0, outUntil - now) } } : {}),
    ...(oldest === Infinity ? {} : { oldestMs: now - oldest }),
  };
}
