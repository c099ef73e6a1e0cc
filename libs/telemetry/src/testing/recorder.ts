import { silentLogger, type LogFields, type Logger, type LogLevel } from '@talaria/base';
import { ambientFields } from '../ambient.ts';

/** One event, with the ambient fields that a real logger would add. */
export interface Recorded {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** A logger that keeps what it is given. */
export function recorder(): { readonly log: Logger; readonly events: Recorded[] } {
  const events: Recorded[] = [];
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      void events.push({ level, message, fields: { ...ambientFields(), ...fields } });
  const log: Logger = { ...silentLogger, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), fatal: at('fatal'), with: () => log };
  return { log, events };
}
