import { type GatewayLimits, type ServerTimeouts } from '@talaria/http';
import { duration, setting, z, type Service } from '@talaria/service';

const MIB = 1024 * 1024;

/** What bounds requests, and may change while the gateway runs. */
export const limitSettings = {
  'gateway.deadline': setting(duration({ min: 1 }).default(10_000), { description: 'how long a call may take; no call takes longer than its method may (call.deadlines)', unit: 'ms', env: 'TALARIA_DEADLINE_MS' }),
  'gateway.stream_deadline': setting(duration({ min: 1 }).default(300_000), { description: 'how long a call may take whose method streams its answers', unit: 'ms' }),
  'gateway.max_body_bytes': setting(z.number().int().min(0).max(16 * MIB).default(MIB), { description: 'the greatest body of a request; services take messages of 4 MiB', unit: 'bytes' }),
  'gateway.max_in_flight': setting(z.number().int().min(1).max(1_000_000).default(10_000), { description: 'how many requests may be under way at once; one more is answered 503 with Retry-After', unit: 'requests' }),
  'gateway.header_timeout': setting(duration({ min: 100 }).default(10_000), { description: 'how long a client may take to send the headers of a request; never longer than for all of it', unit: 'ms' }),
  'gateway.request_timeout': setting(duration({ min: 100 }).default(30_000), { description: 'how long a client may take to send a whole request', unit: 'ms' }),
  'gateway.keep_alive': setting(duration({ min: 100 }).default(65_000), { description: 'how long a connection stays open between two requests; longer than that of a load balancer in front', unit: 'ms' }),
};

/** Declares them, and gives them to the gateway. */
export function gatewayLimits(service: Service): GatewayLimits & { readonly timeouts: ServerTimeouts } {
  const live = service.config(limitSettings);
  return {
    deadlineMs: live['gateway.deadline'],
    streamDeadlineMs: live['gateway.stream_deadline'],
    maxBodyBytes: live['gateway.max_body_bytes'],
    maxInFlight: live['gateway.max_in_flight'],
    timeouts: { headersMs: live['gateway.header_timeout'], requestMs: live['gateway.request_timeout'], keepAliveMs: live['gateway.keep_alive'] },
  };
}
