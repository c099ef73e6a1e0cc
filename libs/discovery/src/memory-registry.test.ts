import { memoryRegistry } from './index.ts';
import { registrySuite } from './testing/registry-suite.ts';

registrySuite('in memory', false, async () => {
  const registry = memoryRegistry();
  return { registry: () => registry, resolver: () => registry, stop: async () => {} };
});
