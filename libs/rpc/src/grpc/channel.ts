// nice-grpc first: on import it gives grpc-js the connect timeout that it lacks (https://github.com/grpc/grpc-node/issues/2785).
import { createChannel } from 'nice-grpc';
import { connectivityState, type Channel } from '@grpc/grpc-js';
import { detached } from '@talaria/context';
import type { ConnectionState, ConnectOptions } from '../transport.ts';
import { applyCancelPatch } from './cancel-patch.ts';

applyCancelPatch();

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

/** Opens a channel, outside of every call. It connects when it is woken. */
export function watchedChannel(target: string, options: ConnectOptions, onState: (state: ConnectionState) => void): WatchedChannel {
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
    }),
  );
  let state: ConnectionState = 'idle';
  const watch = (): void => {
    const current = channel.getConnectivityState(false);
    const next = STATES[current] ?? 'failed';
    if (next !== state) {
      state = next;
      onState(state);
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
