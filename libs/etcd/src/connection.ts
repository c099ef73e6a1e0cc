import type { Logger } from '@talaria/base';
import { credentialsFrom } from './credentials.ts';
import { parseEndpoints } from './endpoints.ts';
import { createLogin, type CredentialsSource, type Login } from './login.ts';
import { createMembers, type Members } from './members.ts';
import { createSend, type Send } from './requests.ts';

/** How etcd is reached, and as whom. */
export interface ConnectionOptions {
  /** The members of one cluster, `http://host:port` or `host:port`: a list, or comma-separated as in `ETCD_ENDPOINTS`. One is used until it fails, then the next. */
  readonly endpoints: string | readonly string[];
  readonly log: Logger;
  /** Who logs in, for an etcd with authentication; needs `password`. Without, requests are sent as nobody. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Credentials that may change, instead of `username` and `password`: asked for each login. */
  readonly credentials?: CredentialsSource | undefined;
  /** The limit of every request, in ms. Default 2,000. */
  readonly requestTimeoutMs?: number;
}

/** A cluster, logged in to. */
export interface Connection {
  readonly endpoints: readonly string[];
  readonly requestTimeoutMs: number;
  readonly members: Members;
  readonly login: Login;
  readonly send: Send;
}

/** etcd answers GOAWAY to pings more often than every 5 s, and to any while no call is open: those we do without. */
const KEEPALIVE_MS = 6000;
const KEEPALIVE_TIMEOUT_MS = 2000;
const GRPC_OPTIONS = {
  'grpc.keepalive_time_ms': KEEPALIVE_MS,
  'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
  'grpc.max_receive_message_length': -1,
  // etcd3 makes new channels after a failure; with subchannels of their own these start with a fresh connection instead of
  // the old one's backoff.
  'grpc.use_local_subchannel_pool': 1,
  'grpc.enable_retries': 0,
  'grpc.enable_http_proxy': 0,
};

/** Connects when it is first used. `onMoved` hears that another member is used from now on. */
export function openConnection({ endpoints: given, log, username, password, credentials, requestTimeoutMs = 2000 }: ConnectionOptions, onMoved: () => void = () => {}): Connection {
  const endpoints = parseEndpoints(given);
  const source = credentials ?? credentialsFrom({ username, password });
  const login = createLogin({
    log,
    credentials: source ?? (() => undefined),
    authenticate: async (user) => {
      const request = { name: user.username, password: user.password };
      const { token } = await members.run((member, within) => member.auth.authenticate(request, within), Date.now() + requestTimeoutMs, true);
      return token;
    },
  });
  const members = createMembers({ endpoints, requestTimeoutMs, grpcOptions: source ? { ...GRPC_OPTIONS, interceptors: [login.interceptor] } : GRPC_OPTIONS, onMoved });
  return { endpoints, requestTimeoutMs, members, login, send: createSend(members, login, requestTimeoutMs) };
}
