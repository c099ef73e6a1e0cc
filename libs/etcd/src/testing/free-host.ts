import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** A free `127.0.0.1:port`, on a port below those of outgoing connections: one of these, even one to that very port, could take it while etcd restarts. */
export async function freeHost(): Promise<string> {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    const server = createServer();
    const free = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    });
    if (free) return `127.0.0.1:${port}`;
  }
}
