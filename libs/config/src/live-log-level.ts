import { LOG_LEVELS, type Logger, type LogLevel } from '@talaria/base';
import type { Etcd } from '@talaria/etcd';
import { liveSetting, type LiveEtcdSetting } from './live-setting.ts';

/** Where the log level of a service comes from. */
export interface LiveLogLevelOptions {
  readonly etcd: Etcd;
  readonly log: Logger;
  /** Such as `service.account`. */
  readonly service: string;
  /** What LOG_LEVEL says: stands while etcd says nothing. */
  readonly initial: LogLevel;
  /** Default `default`. */
  readonly namespace?: string;
}

/** The level of a text such as `debug` or ` WARN`. Throws, naming those that there are, for one that is none. */
export function parseLogLevel(text: string): LogLevel {
  const level = LOG_LEVELS.find((each) => each === text.trim().toLowerCase());
  if (level === undefined) throw new Error(`"${text.slice(0, 40)}" is no log level: use ${LOG_LEVELS.slice(0, -1).join(', ')} or ${LOG_LEVELS.at(-1)}`);
  return level;
}

/**
 * The log level of a service, changed while it runs by `talaria/<namespace>/config/service/<service>/log.level` or, for all
 * services, `talaria/<namespace>/config/global/log.level`.
 */
export function liveLogLevel({ etcd, log, service, initial, namespace = 'default' }: LiveLogLevelOptions): LiveEtcdSetting<LogLevel> {
  const base = `talaria/${namespace}/config`;
  return liveSetting(etcd, { log, keys: [`${base}/service/${service}/log.level`, `${base}/global/log.level`], parse: parseLogLevel, initial });
}
