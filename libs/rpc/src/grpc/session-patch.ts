import type { ClientHttp2Session } from 'node:http2';
import * as internals from '@grpc/grpc-js/build/src/transport.js';

/** The option of a channel that is called with each HTTP/2 session that it opens. */
export const ON_SESSION = 'talaria.on_session';

/** What the patch uses of grpc-js's `Http2SubchannelConnector`. */
interface Connector {
  connect(address: unknown, credentials: unknown, options: Readonly<Record<string, unknown>>): Promise<{ readonly session?: ClientHttp2Session }>;
}

const PATCHED = Symbol.for('talaria.sessionPatch');

/**
 * Lets a channel know its sessions. grpc-js shows neither a GOAWAY nor the peer's settings, and its own keepalive pings a peer
 * after its GOAWAY, which ends draining calls (https://github.com/grpc/grpc-node/issues/3068), and takes a process that was
 * itself held up for a peer that is.
 *
 * It reaches into grpc-js 1.14; where that looks different it does nothing, and `session-patch.test.ts` fails.
 */
export function applySessionPatch(): boolean {
  // Imported, not required: a bundler has to see that it is the same grpc-js.
  const { Http2SubchannelConnector: found } = internals as unknown as { readonly Http2SubchannelConnector?: { readonly prototype: Connector & { [PATCHED]?: boolean } } };
  const prototype = found?.prototype;
  if (typeof prototype?.connect !== 'function') return false;
  if (prototype[PATCHED]) return true;
  const original = prototype.connect;
  prototype.connect = async function (this: Connector, address, credentials, options) {
    const transport = await original.call(this, address, credentials, options);
    const onSession = options[ON_SESSION];
    if (typeof onSession === 'function' && transport.session) (onSession as (session: ClientHttp2Session) => void)(transport.session);
    return transport;
  };
  prototype[PATCHED] = true;
  return true;
}
