// For authors of services.
export { currentCall, currentClock, runInCall, timeRemaining, type Call, type Caller, type Principal } from './call.ts';
export { contextKey, type ContextKey } from './context-key.ts';
export { baggageKey, type BaggageKeyOptions } from './baggage-key.ts';
export { fanOut, fanOutEach, fanOutFirst, fanOutSettled, type FanOutOptions, type SettledTasks, type TaskKey, type TaskResults, type Tasks } from './fan-out.ts';
export type { Task } from './task-group.ts';
export { currentFences, runFenced } from './fence.ts';
export { detached } from './manager.ts';
export { sleep } from './sleep.ts';

// For middleware and other libs.
export { callIn, withCall } from './call.ts';
export { installContext, iterateIn } from './manager.ts';
export { formatBaggage, parseBaggage } from './baggage-format.ts';
