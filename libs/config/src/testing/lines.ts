import { createLogger, type Logger } from '@talaria/base';

/** A log that a test can read. */
export interface Lines {
  readonly log: Logger;
  /** Every event, as JSON. */
  readonly all: readonly string[];
  /** Those at a level. */
  at(level: string): readonly string[];
}

/** Makes one, at `trace`. */
export function logLines(): Lines {
  const all: string[] = [];
  return {
    log: createLogger({ level: 'trace', format: 'json', destination: { write: (line) => void all.push(line) } }),
    all,
    at: (level) => all.filter((line) => (JSON.parse(line) as { level: string }).level === level),
  };
}
