import { context as otel, type Context } from '@opentelemetry/api';

/** What `next` of server and client middleware have in common. */
export interface NextCall<Request, Response, Options> {
  next(request: Request | AsyncIterable<Request>, options: Options): AsyncGenerator<Response, Response | void, undefined>;
}

/**
 * `call.next(request, options)` with every step in `context`. Middleware that adds to the ambient call needs it, since a
 * generator's body runs in the context of whoever pulls it: `return yield* nextIn(withCall(active, changes), call, call.request, options)`.
 */
export async function* nextIn<Request, Response, Options>(
  context: Context,
  call: NextCall<Request, Response, Options>,
  request: Request | AsyncIterable<Request>,
  options: Options,
): AsyncGenerator<Response, Response | void, undefined> {
  const steps = otel.with(context, () => call.next(request, options));
  let finished = false;
  try {
    for (;;) {
      const step = await otel.with(context, () => steps.next());
      if (step.done) {
        finished = true;
        return step.value;
      }
      yield step.value;
    }
  } finally {
    // Not awaited: `return()` of a generator hangs while a `next()` is pending.
    if (!finished) void otel.with(context, () => steps.return(undefined)).catch(() => {});
  }
}
