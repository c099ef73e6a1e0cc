import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * Runs `fn` outside of the call that happens to start it. A socket, a timer or a watch that is started within a call would
 * otherwise run in that call's context (its deadline, its trace) for as long as it lives. This lib knows no call context;
 * the context that the module was loaded in is outside of every call.
 */
export const outside: <T>(fn: () => T) => T = AsyncLocalStorage.snapshot();
