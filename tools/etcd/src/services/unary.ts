import { type handleUnaryCall, type Metadata } from '@grpc/grpc-js';

/** Makes a grpc-js handler of a function that returns the answer or throws. */
export function unary<Request, Response>(handler: (request: Request, metadata: Metadata) => Response | Promise<Response>): handleUnaryCall<Request, Response> {
  return (call, callback) => {
    // An async function would put every answer off by a turn.
    try {
      const answer = handler(call.request, call.metadata);
      if (answer instanceof Promise) answer.then((value) => callback(null, value), callback);
      else callback(null, answer);
    } catch (error) {
      callback(error as Error);
    }
  };
}
