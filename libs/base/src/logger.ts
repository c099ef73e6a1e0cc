import { formatJson, formatLogfmt, RESERVED, type LogEvent, type LogFormat } from './logging/format.ts';
import { lineOf } from './logging/line.ts';
import { defaultFormat, hasColors, standardStream, type LogDestination, type LogOutput } from './logging/output.ts';
import { MAX_EVENT, newWalk, plainFields, plainMessage, sizeOf, type Plain, type PlainObject } from './logging/plain.ts';
import { prettyFormat } from './logging/pretty.ts';
import type { LiveSetting } from './live-setting.ts';

/** From least to most severe. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
/** A log level; a logger at `warn` writes warn, error and fatal. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How events can be written. */
export const LOG_FORMATS = ['pretty', 'json', 'logfmt'] as const satisfies readonly LogFormat[];
/** Where events can be written. */
export const LOG_OUTPUTS = ['stdout', 'stderr'] as const satisfies readonly LogOutput[];

/** Facts of one event; an `Error` under `err` is written with its stack and causes, what is undefined is left out. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one event a line, of 64 KiB at most (longer values are shortened). Never throws, whatever it is given, and never writes what it takes for a secret. */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /** A logger whose every event also has these fields, as they are now. */
  with(fields: LogFields): Logger;
}

/** How a logger is made. */
export interface LoggerOptions {
  /** Default `info`; may change while the program runs. */
  readonly level?: LogLevel | LiveSetting<LogLevel>;
  /** `pretty` for people, `json` or `logfmt` for machines. Default: `pretty` on a terminal, `json` otherwise. */
  readonly format?: LogFormat | undefined;
  /** Default `stdout`. */
  readonly output?: LogOutput | undefined;
  /** On every event. */
  readonly fields?: LogFields;
  /** Evaluated for each event: trace and request id of the current call. */
  readonly ambient?: () => LogFields;
  /** For `pretty`. Default: as FORCE_COLOR, NO_COLOR and the terminal say. */
  readonly colors?: boolean | undefined;
  /** What takes the lines instead of `output`; for tests. */
  readonly destination?: LogDestination;
}

const SEVERITY = Object.fromEntries(LOG_LEVELS.map((level, index) => [level, index])) as Readonly<Record<LogLevel, number>>;

function formatter(format: LogFormat, colors: boolean): (event: LogEvent) => string {
  if (format === 'pretty') return prettyFormat(colors);
  return format === 'logfmt' ? formatLogfmt : formatJson;
}

/** Later ones win, also over their own order; names that an event has itself give way. */
function merged(parts: readonly PlainObject[]): PlainObject {
  const fields: Record<string, Plain> = {};
  for (const part of parts) for (const [key, value] of Object.entries(part)) fields[RESERVED.has(key) ? `${key}_` : key] = value;
  return fields;
}

/** Fields that stay with a logger, and what they take of each of its events. */
interface Bound {
  readonly fields: PlainObject;
  readonly size: number;
}

/** They may take half of what is left: something more will be said of each event. */
function bind(before: Bound, fields: unknown): Bound {
  const all = merged([before.fields, plainFields(fields, newWalk((MAX_EVENT - before.size) / 2))]);
  return { fields: all, size: sizeOf(all) };
}

/** Makes a logger. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = 'info', ambient = () => ({}) } = options;
  const least = (): number => SEVERITY[typeof level === 'object' ? level.get() : level] ?? SEVERITY.info;
  const stream: LogDestination & { readonly isTTY?: boolean } = options.destination ?? standardStream(options.output ?? 'stdout');
  const format = formatter(options.format ?? defaultFormat(stream), options.colors ?? hasColors(stream, process.env));

  const write = (at: LogLevel, bound: Bound, message: unknown, fields: unknown): void => {
    try {
      if (SEVERITY[at] < least()) return;
      const walk = newWalk(MAX_EVENT - bound.size);
      const parts = [bound.fields, plainFields(attempt(ambient), walk)];
      const text = plainMessage(message instanceof Error ? message.message : message, walk);
      // A message that is an error, as untyped code has it.
      if (message instanceof Error) parts.unshift(plainFields(message, walk));
      parts.push(plainFields(fields, walk));
      stream.write(lineOf({ time: Date.now(), level: at, fields: merged(parts), message: text }, format));
    } catch {
      // A log that cannot be written is no reason to fail what it tells of.
    }
  };
  const make = (bound: Bound): Logger => {
    const at =
      (own: LogLevel) =>
      (message: string, fields?: LogFields): void =>
        write(own, bound, message, fields);
    const levels = Object.fromEntries(LOG_LEVELS.map((own) => [own, at(own)])) as Record<LogLevel, Logger['info']>;
    return { ...levels, with: (fields) => make(bind(bound, fields)) };
  };
  return make(bind({ fields: {}, size: 0 }, options.fields));
}

function attempt(read: () => LogFields): LogFields | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const ignore = (): void => {};

/** Writes nothing. */
export const silentLogger: Logger = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore, fatal: ignore, with: () => silentLogger };
