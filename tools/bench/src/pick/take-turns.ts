import type { Picker } from '@talaria/rpc';

/** The least that a picker can do. */
export function takeTurns(): Picker {
  let turn = 0;
  return {
    pick(candidates, { tried }) {
      for (let skipped = 0; skipped <= candidates.length; skipped++) {
        turn = (turn + 1) % candidates.length;
        const candidate = candidates[turn];
        if (candidate && (skipped === candidates.length || (candidate.connection.state === 'ready' && !tried.has(candidate)))) return candidate;
      }
      throw new Error('A picker needs at least one candidate');
    },
  };
}
