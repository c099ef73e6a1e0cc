import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Cluster, Instance } from './cluster.ts';

/** Something that befalls one of the instances, or what they stand on. */
export interface Fault {
  readonly name: string;
  /** Lets it happen; resolves at once when it has. */
  begin(cluster: Cluster, victim: Instance): Promise<void>;
  /** Makes all well again; resolves when it is. */
  end(cluster: Cluster, victim: Instance): Promise<void>;
}

const behaviour = (name: string, how: Parameters<Instance['behave']>[0]): Fault => ({
  name,
  begin: (_, victim) => victim.behave(how),
  end: (_, victim) => victim.behave({}),
});

export const killed: Fault = {
  name: 'kill -9',
  begin: (_, victim) => victim.end('SIGKILL'),
  end: (_, victim) => victim.start(),
};

export const frozen: Fault = {
  name: 'SIGSTOP',
  begin: async (_, victim) => victim.signal('SIGSTOP'),
  end: async (_, victim) => victim.signal('SIGCONT'),
};

export const failing = behaviour('50% UNAVAILABLE', { unavailable: 0.5 });
export const slow = behaviour('+200 ms latency', { delayMs: 200 });
export const missing = behaviour('50% NOT_FOUND', { notFound: 0.5 });
export const broken = behaviour('fails 100%', { unavailable: 1 });

/** In the place of the instance something accepts connections and says nothing; the registry goes on naming it. */
export function mute(): Fault {
  let server: Server | undefined;
  const sockets = new Set<Socket>();
  return {
    name: 'accepts TCP, answers nothing',
    async begin(cluster, victim) {
      const key = cluster.keyOf(victim);
      const { entries } = await cluster.client.list(key);
      await victim.end('SIGKILL');
      server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => {}).resume();
      });
      const { hostname, port } = new URL(`tcp://${victim.endpoint}`);
      server.listen(Number(port), hostname);
      await once(server, 'listening');
      // Without a lease: the dead instance's own would run out.
      await cluster.client.transaction({ compare: [], success: entries.map(({ value }) => ({ put: key, value })) });
    },
    async end(cluster, victim) {
      for (const socket of sockets) socket.destroy();
      sockets.clear();
      server?.close();
      if (server?.listening) await once(server, 'close');
      await cluster.client.transaction({ compare: [], success: [{ delete: cluster.keyOf(victim) }] });
      await victim.start();
    },
  };
}

/** Each instance is stopped in good order and started again, one after the other. */
export const rolling: Fault = {
  name: 'rolling restart of all three',
  async begin({ instances }) {
    for (const instance of instances) {
      await instance.end('SIGTERM');
      await instance.start();
    }
  },
  end: async () => {},
};

export const withoutEtcd: Fault = {
  name: 'etcd gone',
  begin: ({ etcd }) => etcd.kill(),
  end: ({ etcd }) => etcd.restart(),
};

export const dataLost: Fault = {
  name: "etcd's data lost",
  begin: ({ etcd }) => etcd.restart({ empty: true }),
  end: async () => {},
};
