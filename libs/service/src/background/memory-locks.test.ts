import { memoryLocks } from './memory-locks.ts';
import { locksSuite } from './testing/locks-suite.ts';

locksSuite('in memory', false, async () => {
  const locks = memoryLocks();
  return { locks: () => locks, die: undefined, stop: async () => {} };
});
