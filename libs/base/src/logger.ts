import { Writable } from 'node:stream';
import { pino, stdTimeFunctions, type DestinationStream, type Logger as Pino } from 'pino';
import { fixedSetting, type LiveSetting } from './live-setting.ts';

/** From least to most severe. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;
/** A log level; a logger at `warn` writes warn, error and fatal. */
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Facts of one event; an `Error` under `err` is written with its stack and causes. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one event a line. */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  fatal(message: string, fields?: LogFields): void;
  /** A logger whose every event also has these fields. */
  with(fields: LogFields): Logger;
}

/** How a logger is made. */
export interface LoggerOptions {
  /** Default `info`; may change while the program runs. */
  readonly level?: LogLevel | LiveSetting<LogLevel>;
  /** `pretty` for people, `json` for machines. Default: `pretty` on a terminal, `json` otherwise. */
  readonly format?: 'pretty' | 'json';
  /** On every event. */
  readonly fields?: LogFields;
  /** Evaluated for each event: trace and request id of the current call. */
  readonly ambient?: () => LogFields;
  /** Default: standard output. */
  readonly destination?: DestinationStream;
}

/** Keys whose values are never written, at any of the first two levels of an event. */
const SECRET_KEYS = ['authorization', 'cookie', 'password', 'secret', 'token', 'access_token', 'client_secret', 'passport', 'set-cookie'];

const redact = {
  paths: SECRET_KEYS.flatMap((key) => (key.includes('-') ? [`["${key}"]`, `*["${key}"]`] : [key, `*.${key}`])),
  censor: '[redacted]',
};

function wrap(inner: Pino): Logger {
  const at =
    (level: LogLevel) =>
    (message: string, fields: LogFields = {}): void =>
      inner[level](fields, message);
  return {
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    with: (fields) => wrap(inner.child(fields)),
  };
}

async function prettyDestination(destination: DestinationStream, colors: boolean): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty');
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      destination.write(chunk.toString());
      done();
    },
  });
  return pretty({ destination: sink, colorize: colors, ignore: 'pid,hostname,service', messageFormat: '{service} {msg}', translateTime: 'SYS:HH:MM:ss.l', sync: true, singleLine: true });
}

/** Makes a logger. The pretty format is loaded only when it is used. */
export async function createLogger(options: LoggerOptions = {}): Promise<Logger> {
  const level = typeof options.level === 'object' ? options.level : fixedSetting(options.level ?? 'info');
  const format = options.format ?? (process.stdout.isTTY ? 'pretty' : 'json');
  const output = options.destination ?? process.stdout;
  const inner = pino(
    {
      level: level.get(),
      base: options.fields ?? {},
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact,
      ...(options.ambient ? { mixin: options.ambient } : {}),
    },
    format === 'pretty' ? await prettyDestination(output, process.stdout.isTTY && !process.env['NO_COLOR']) : output,
  );
  level.onChange((next) => {
    inner.level = next;
  });
  return wrap(inner);
}

const ignore = (): void => {};

/** Writes nothing. */
export const silentLogger: Logger = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore, fatal: ignore, with: () => silentLogger };
