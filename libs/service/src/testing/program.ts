// A service as a program, for run.test.ts. What it does is in the environment.
import { createService } from '../service.ts';

const [mode] = process.argv.slice(2);
const { registry, resolver } = await (async () => {
  const { memoryRegistry } = await import('@talaria/discovery');
  const memory = memoryRegistry();
  return { registry: memory, resolver: memory };
})();
const { generateServiceKey, serviceKeyFrom, staticKeys } = await import('@talaria/auth');
const { privateJwk, publicJwk } = await generateServiceKey('service.program');

const service = createService({
  name: 'service.program',
  description: 'A program of a test',
  platform: { ...(mode === 'unset' || mode === 'chatty' ? {} : { registry, resolver }), key: serviceKeyFrom(privateJwk), keys: await staticKeys({ keys: [publicJwk] }) },
});
if (mode === 'chatty') service.worker('chatty', async () => service.log.debug('a word'));
if (mode === 'stubborn') service.onStop(() => new Promise(() => {}));
if (mode === 'failing') service.worker('failing', async () => void setImmediate(() => Promise.reject(new Error('nobody caught this'))));
if (mode === 'twice') void service.onReady(() => service.run().catch((error: unknown) => service.log.warn((error as Error).message)));
await service.run();
