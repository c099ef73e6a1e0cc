import { isOut, type Instance } from './instance.ts';

/** The rank of those that calls go to as long as there is one. */
export const BEST = 0;
/** The rank of those that may still get well by themselves: nothing speaks against them, but they are not connected. */
export const UNCONNECTED = 3;

/**
 * Whom calls go to, lowest first: those in rotation; those with weight 0; those that are out but answer; those that connect; those
 * that say themselves that they are not well, which is better than what follows: silent, failed, leaving, and closed ones.
 */
export function rankOf(instance: Instance): number {
  const { endpoint, connection } = instance.candidate;
  switch (connection.state) {
    case 'ready':
      if (endpoint.ready === false) return 4;
      if (isOut(instance)) return instance.reason === 'frozen' ? 5 : 2;
      return endpoint.weight === 0 ? 1 : BEST;
    case 'idle':
    case 'connecting':
      if (endpoint.ready === false) return 6;
      // It failed before, or lost its connection, and may well do so again.
      return instance.lost ? 7 : UNCONNECTED;
    case 'failed':
      return 8;
    case 'draining':
      return 9;
    default:
      return 10;
  }
}
