// A server in a process of its own, for tests that kill or freeze it. Its argument is where it listens; it tells its parent
// the bound address, and stops with it.
import { grpcTransport } from '../grpc/grpc-transport.ts';
import { bytes, KINDS, text, wireMethod } from './kinds.ts';

const listener = await grpcTransport().listen(process.argv[2] ?? 'h2c://127.0.0.1:0');
listener.add('test.Test', [
  { ...wireMethod(KINDS[0], 'Echo'), handler: (call) => call.requests },
  {
    ...wireMethod(KINDS[0], 'Hang'),
     
    async *handler() {
      await new Promise(() => {});
    },
  },
  {
    // Holds its own event loop up for as many ms as its request says.
    ...wireMethod(KINDS[0], 'Busy'),
    async *handler(call) {
      for await (const request of call.requests) {
        const end = performance.now() + Number(text(request));
        while (performance.now() < end);
        yield request;
      }
    },
  },
  {
    ...wireMethod(KINDS[2], 'Drip'),
    async *handler() {
      yield bytes('drop');
      await new Promise(() => {});
    },
  },
]);
process.on('disconnect', () => process.exit());
process.send?.(listener.address);
