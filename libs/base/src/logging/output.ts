import type { LogFormat } from './format.ts';

/** Where events are written. */
export type LogOutput = 'stdout' | 'stderr';

/** What takes lines; each ends in a line break. */
export interface LogDestination {
  write(line: string): unknown;
}

/** What the choice of colours and format goes by. */
interface Stream extends LogDestination {
  readonly isTTY?: boolean;
}

/** A standard stream. Its reader may go: that must not end a service. */
export function standardStream(output: LogOutput): Stream {
  const stream = process[output];
  if (stream.listenerCount('error') === 0) stream.on('error', () => {});
  return stream;
}

/** What suits who reads: people on a terminal, machines elsewhere. */
export function defaultFormat(stream: Stream): LogFormat {
  return stream.isTTY === true ? 'pretty' : 'json';
}

/**
 * Whether to write in colours: FORCE_COLOR decides (`0` and `false` say no), then NO_COLOR (anything but empty says no), then
 * whether it is a terminal. As Node does; https://no-color.org
 */
export function hasColors(stream: Stream, env: Readonly<Record<string, string | undefined>>): boolean {
  const { FORCE_COLOR: force, NO_COLOR: none, TERM: terminal } = env;
  if (force !== undefined) return force !== '0' && force !== 'false';
  return !none && stream.isTTY === true && terminal !== 'dumb';
}
