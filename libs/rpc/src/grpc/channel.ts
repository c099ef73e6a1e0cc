// nice-grpc first: on import it gives grpc-js the connect timeout that it lacks (https://github.com/grpc/grpc-node/issues/2785).
import { createChannel } from 'nice-grpc';
import type { ClientHttp2Session } from 'node:http2';
import { connectivityState, type Channel, type ChannelOptions } from '@grpc/grpc-js';
import { detached } from '@talaria/context';
import type { ConnectionState, ConnectOptions } from '../transport.ts';
import { LONGEST_MS } from '../deadline.ts';
import { applyCancelPatch } from './cancel-patch.ts';
import { applySessionPatch, ON_SESSION } from './session-patch.ts';

applyCancelPatch();
applySessionPatch();

/** The defaults of {@link ConnectOptions}. */
export const CONNECT_TIMEOUT_MS = 1_000;
/** gRPC's own default. */
export const MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

/** A peer that comes back on the same port is found again within the greatest backoff (±20 %). */
const FIRST_BACKOFF_MS = 100;
const GREATEST_BACKOFF_MS = 800;

const STATES: Readonly<Record<number, ConnectionState>> = {
  [connectivityState.IDLE]: 'idle',
  [connectivityState.CONNECTING]: 'connecting',
  [connectivityState.READY]: 'ready',
  [connectivityState.TRANSIENT_FAILURE]: 'failed',
  [connectivityState.SHUTDOWN]: 'closed',
};

/** A channel of grpc-js that leads to one address, and its state. */
export interface WatchedChannel {
  readonly channel: Channel;
  readonly state: ConnectionState;
  /** Connects if it is idle. */
  wake(): void;
  close(): void;
}

/** Told of what becomes of a channel. */
export interface ChannelHost {
  state(state: ConnectionState): void;
  /** An HTTP/2 session was opened: the one that new calls take from now on. */
  session(session: ClientHttp2Session): void;
}

/** Opens a channel, outside of every call. It connects when it is woken. */
export function watchedChannel(target: string, options: ConnectOptions, host: ChannelHost): WatchedChannel {
  const channel = detached(() =>
    createChannel(`http://${target}`, undefined, {
      // What nice-grpc's patch reads as the limit of one connection attempt.
      'grpc.min_reconnect_backoff_ms': options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      'grpc.initial_reconnect_backoff_ms': FIRST_BACKOFF_MS,
      'grpc.max_reconnect_backoff_ms': GREATEST_BACKOFF_MS,
      'grpc.max_receive_message_length': options.maxResponseBytes ?? MAX_MESSAGE_BYTES,
      'grpc.max_send_message_length': -1,
      // Each connection its own socket: grpc-js would share one between all channels to an address.
      'grpc.use_local_subchannel_pool': 1,
      // Retries are made above connections, where other instances are known.
      'grpc.enable_retries': 0,
      'grpc.service_config_disable_resolution': 1,
      // Without this, grpc-js takes up to 1 MiB of requests for a possible retry before it heeds the peer's window.
      'grpc-node.per_rpc_retry_buffer_size': 0,
      'grpc.enable_http_proxy': 0,
      'grpc.enable_channelz': 0,
      // Who opens a connection closes it: the pool, when nothing needs it.
      'grpc.client_idle_timeout_ms': LONGEST_MS,
      [ON_SESSION]: (session: ClientHttp2Session) => host.session(session),
    } as ChannelOptions),
  );
  let state: ConnectionState = 'idle';
  const watch = (): void => {
    let current = channel.getConnectivityState(false);
    // The host may wake it, which changes the state while nobody watches.
    for (let next = STATES[current] ?? 'failed'; next !== state; next = STATES[current] ?? 'failed') {
      state = next;
      host.state(state);
      current = channel.getConnectivityState(false);
    }
    if (current !== connectivityState.SHUTDOWN) channel.watchConnectivityState(current, Infinity, watch);
  };
  detached(watch);
  return {
    channel,
    get state() {
      return STATES[channel.getConnectivityState(false)] ?? 'failed';
    },
    wake() {
      detached(() => channel.getConnectivityState(true));
    },
    close() {
      detached(() => channel.close());
    },
  };
}
