import { AsyncLocalStorage } from 'node:async_hooks';
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from '@talaria/base';

/** A logger that exists before its settings are known. */
export interface DeferredLogger {
  readonly log: Logger;
  /** Writes what was held back, and everything from now on, to `logger`. The first call counts. */
  attach(logger: Logger): void;
}

/** So that a program that never attaches one holds no more than this. */
const MAX_HELD = 1_000;

/**
 * Holds events back until a logger is attached. They are in order, but bear the time at which it is: a `Logger` stamps events
 * itself, as most do, and takes no time.
 */
export function deferredLogger(): DeferredLogger {
  let target: Logger | undefined;
  let held: ((logger: Logger) => void)[] = [];
  const children = new Set<() => void>();

  const make = (derive: (logger: Logger) => Logger): Logger => {
    let own: Logger | undefined;
    if (target) own = derive(target);
    else children.add(() => (own = target && derive(target)));
    const at =
      (level: LogLevel) =>
      (message: string, fields?: LogFields): void => {
        if (own) own[level](message, fields);
        else if (held.length < MAX_HELD) {
          // Written later, but with the ids of the call that it tells of.
          const inThisCall = AsyncLocalStorage.snapshot();
          held.push((logger) => inThisCall(() => derive(logger)[level](message, fields)));
        }
      };
    const levels = Object.fromEntries(LOG_LEVELS.map((level) => [level, at(level)])) as Record<LogLevel, Logger['info']>;
    return { ...levels, with: (fields) => make((logger) => derive(logger).with(fields)) };
  };

  return {
    log: make((logger) => logger),
    attach(logger) {
      if (target) return;
      target = logger;
      for (const derive of children) derive();
      children.clear();
      for (const write of held) write(logger);
      held = [];
    },
  };
}
