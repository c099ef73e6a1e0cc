import type { ClientHttp2Stream } from 'node:http2';
import * as internals from '@grpc/grpc-js/build/src/subchannel-call.js';
import { Status } from 'nice-grpc-common';

/** What the patch uses of grpc-js's `Http2SubchannelCall`. */
interface SubchannelCall {
  readonly http2Stream: ClientHttp2Stream;
  readonly serverEndedCall: boolean;
  readonly finalStatus: { readonly code: number } | null;
  destroyHttp2Stream(): void;
}

const PATCHED = Symbol.for('talaria.cancelPatch');

/**
 * Makes a cancelled call look cancelled to its server. grpc-js cancels by `http2Stream.close(CANCEL)`, for which Node first
 * ends the stream's writable side: END_STREAM leaves before RST_STREAM does, and a server takes half an upload for a whole
 * one (the kin of https://github.com/nodejs/node/issues/49147). This lets a cancelled stream end without telling the peer so.
 *
 * It reaches into grpc-js 1.14; where that looks different it does nothing, and `cancel-patch.test.ts` fails.
 */
export function applyCancelPatch(): boolean {
  // Imported, not required: a bundler has to see that it is the same grpc-js.
  const { Http2SubchannelCall: found } = internals as unknown as { readonly Http2SubchannelCall?: { readonly prototype: SubchannelCall & { [PATCHED]?: boolean } } };
  const prototype = found?.prototype;
  if (typeof prototype?.destroyHttp2Stream !== 'function') return false;
  if (prototype[PATCHED]) return true;
  const original = prototype.destroyHttp2Stream;
  prototype.destroyHttp2Stream = function (this: SubchannelCall): void {
    const { http2Stream, serverEndedCall, finalStatus } = this;
    const cancels = !serverEndedCall && finalStatus !== null && finalStatus.code !== (Status.OK as number);
    if (cancels && !http2Stream.destroyed && !http2Stream.writableEnded) http2Stream._final = (done) => done();
    original.call(this);
  };
  prototype[PATCHED] = true;
  return true;
}
