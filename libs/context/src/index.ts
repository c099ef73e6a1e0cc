export { callIn, currentCall, runInCall, timeRemaining, withCall, type Call, type Caller, type Principal } from './call.ts';
export { detached, installContext, iterateIn } from './manager.ts';
