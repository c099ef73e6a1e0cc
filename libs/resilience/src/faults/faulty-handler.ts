import { systemClock, type CancelTimer } from '@talaria/base';
import { ServerError, type CallHandler, type IncomingCall, type ServedMethod } from '@talaria/rpc';
import type { ActiveRule } from './active-rule.ts';
import { corrupted, delayOf } from './corrupt.ts';
import type { Faults } from './faults.ts';

/** Waits `ms` (`Infinity`: for ever), or until the call is over; tells whether it goes on. */
function wait(ms: number, { signal, clock = systemClock }: IncomingCall): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    let cancel: CancelTimer | undefined;
    const settle = (): void => {
      cancel?.();
      signal.removeEventListener('abort', settle);
      resolve(!signal.aborted);
    };
    signal.addEventListener('abort', settle, { once: true });
    if (ms < Infinity) cancel = clock.after(ms, settle);
  });
}

function failed({ failure }: ActiveRule, call: IncomingCall): ServerError {
  call.setTrailer(failure.trailer);
  return new ServerError(failure.code, failure.details);
}

async function* goWrong(rule: ActiveRule, method: ServedMethod, call: IncomingCall, random: () => number): AsyncGenerator<Uint8Array, void, undefined> {
  const { delay, jitter, blackhole, error, abort, corrupt, trickle } = rule.fault;
  if (delay !== undefined && !(await wait(delayOf(delay, jitter, random), call))) return;
  if (blackhole) {
    await wait(Infinity, call);
    return;
  }
  if (error) throw failed(rule, call);
  const afterMessages = method.responseStream ? abort?.afterMessages : abort && 0;
  let count = 0;
  for await (const response of method.handler(call)) {
    if (afterMessages === 0) break;
    if (rule.inForce && trickle && !(await wait((response.length * 1000) / trickle.bytesPerSecond, call))) return;
    yield rule.inForce && corrupt ? corrupted(response, corrupt, random) : response;
    count += 1;
    if (count === afterMessages) break;
  }
  // A stream that ended by itself before has kept its promise.
  if (afterMessages === 0 || (afterMessages !== undefined && count === afterMessages)) throw failed(rule, call);
}

async function* answer(method: ServedMethod, call: IncomingCall, faults: Faults): AsyncGenerator<Uint8Array, void, undefined> {
  const rule = await faults.serverHit(method.path, call.metadata);
  yield* rule ? goWrong(rule, method, call, faults.random) : method.handler(call);
}

/** The handler of a method, with faults. Without rules it is the handler itself. */
export function faultyHandler(method: ServedMethod, faults: Faults): CallHandler {
  const { path, handler } = method;
  return (call) => (faults.server.length === 0 || !faults.server.some((rule) => rule.matches(path)) ? handler(call) : answer(method, call, faults));
}
