import { Server, ServerCredentials } from '@grpc/grpc-js';
import { createAccess } from './auth/access.ts';
import { createAuthStore } from './auth/auth-store.ts';
import { createTokens } from './auth/tokens.ts';
import { loadProtocol } from './protocol.ts';
import { authService } from './services/auth.ts';
import { clusterService } from './services/cluster.ts';
import { kvService } from './services/kv.ts';
import { leaseService } from './services/lease.ts';
import { maintenanceService } from './services/maintenance.ts';
import { GRPC_OVERHEAD_BYTES, MAX_REQUEST_BYTES, type ServerState } from './services/server-state.ts';
import { watchService } from './services/watch.ts';
import { createLessor } from './store/lessor.ts';
import { createMemoryPersistence, openPersistence } from './store/persistence.ts';
import { createStore } from './store/store.ts';

/** How a server is started. */
export interface EtcdOptions {
  /** `host:port`; port 0 takes a free one. Default `127.0.0.1:0`. */
  readonly listen?: string;
  /** Where the data is kept; made if it does not exist. Needed unless `inMemory` is set. */
  readonly dataDir?: string;
  /** Keeps nothing. Default: true if there is no `dataDir`. */
  readonly inMemory?: boolean;
  /** How often a quiet watch with `progress_notify` hears how far it is, in milliseconds. Default: ten minutes, as etcd. */
  readonly watchProgressIntervalMs?: number;
  /** How long a login is good after its last use, in milliseconds. Default: five minutes, as etcd. */
  readonly authTokenTtlMs?: number;
}

/** A server that serves. */
export interface EtcdServer {
  /** The bound `host:port`. */
  readonly address: string;
  /** Cuts all connections off and closes the data; the port is free afterwards. Further calls do nothing. */
  stop(): Promise<void>;
}

const TEN_MINUTES_MS = 10 * 60 * 1000;

function bind(server: Server, listen: string): Promise<string> {
  const separator = listen.lastIndexOf(':');
  const host = listen.slice(0, separator);
  const wanted = Number(listen.slice(separator + 1));
  if (separator < 1 || !Number.isInteger(wanted) || wanted < 0 || wanted > 65535) {
    return Promise.reject(new Error(`"${listen}" is no address to listen on: give host:port, such as 127.0.0.1:2379, or port 0 for a free one.`));
  }
  return new Promise((resolve, reject) => {
    server.bindAsync(listen, ServerCredentials.createInsecure(), (error, port) => {
      if (!error) resolve(`${host}:${port}`);
      else if (error.message.includes('EADDRINUSE')) reject(new Error(`The address ${listen} is taken: stop what listens there, or give another one with --listen (port 0 takes a free one).`, { cause: error }));
      else reject(new Error(`Cannot listen on ${listen} (${error.message}): give an address of this machine with --listen.`, { cause: error }));
    });
  });
}

/** Starts a server. Rejects with one sentence that names the fix if the address or the data directory is in use. */
export async function startEtcd(options: EtcdOptions = {}): Promise<EtcdServer> {
  const { listen = '127.0.0.1:0', dataDir, inMemory = dataDir === undefined, watchProgressIntervalMs = TEN_MINUTES_MS, authTokenTtlMs } = options;
  if (!inMemory && dataDir === undefined) throw new Error('There is nowhere to keep the data: give a data directory, or ask for a server in memory.');
  const persistence = inMemory || dataDir === undefined ? createMemoryPersistence() : await openPersistence(dataDir);
  const { clusterId, memberId, raftTerm } = persistence.identity;
  const store = createStore(persistence);
  const lessor = createLessor(store, persistence);
  const auth = createAuthStore(persistence);
  const tokens = createTokens(authTokenTtlMs);
  let address = listen;
  const state: ServerState = {
    store,
    lessor,
    persistence,
    auth,
    tokens,
    access: createAccess(auth, tokens),
    header: (revision = store.revision()) => ({ cluster_id: clusterId, member_id: memberId, revision, raft_term: raftTerm }),
    address: () => address,
  };

  const server = new Server({ 'grpc.max_receive_message_length': MAX_REQUEST_BYTES + GRPC_OVERHEAD_BYTES, 'grpc.max_send_message_length': -1 });
  const protocol = loadProtocol();
  server.addService(protocol.KV, kvService(state));
  server.addService(protocol.Lease, leaseService(state));
  server.addService(protocol.Watch, watchService(state, watchProgressIntervalMs));
  server.addService(protocol.Auth, authService(state));
  server.addService(protocol.Cluster, clusterService(state));
  server.addService(protocol.Maintenance, maintenanceService(state));

  const close = (): void => {
    lessor.close();
    persistence.close();
  };
  try {
    address = await bind(server, listen);
  } catch (error) {
    close();
    throw error;
  }
  let stopped: Promise<void> | undefined;
  return {
    address,
    stop: () =>
      (stopped ??= new Promise<void>((resolve) => {
        // Watches never end by themselves, and no other call is ever half done between two turns.
        server.tryShutdown(() => resolve());
        server.forceShutdown();
      }).then(close)),
  };
}
