import type { Candidate, Picker } from '@talaria/rpc';

/** Best first: whether it was tried in this call, then whether its last connect failed or it is going away. */
function rank({ connection }: Candidate, tried: boolean): number {
  const usable = connection.state !== 'failed' && connection.state !== 'draining' && connection.state !== 'closed';
  return (tried ? 2 : 0) + (usable ? 0 : 1);
}

/**
 * Takes turns, so that tests of policies know who is asked. Those that an earlier attempt of the call tried come last, and those whose
 * connection failed after those that work.
 */
export function roundRobin(): Picker {
  // A random start, so that many clients that start at once do not all begin with the same instance.
  let turn = Math.floor(Math.random() * 1024);
  return {
    pick(candidates, { tried }) {
      const ranks = candidates.map((candidate) => rank(candidate, tried.has(candidate)));
      const best = Math.min(...ranks);
      const eligible = candidates.filter((_, index) => ranks[index] === best);
      turn = (turn + 1) % Number.MAX_SAFE_INTEGER;
      const picked = eligible[turn % eligible.length];
      if (!picked) throw new Error('A picker needs at least one candidate');
      return picked;
    },
  };
}
