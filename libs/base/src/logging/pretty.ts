import { styleText } from 'node:util';
import { jsonText, logfmtKey, logfmtValue, oneLine, type LogEvent } from './format.ts';
import type { Plain, PlainObject } from './plain.ts';

const COLORS = { trace: 'gray', debug: 'cyan', info: 'green', warn: 'yellow', error: 'red', fatal: 'magenta' } as const;

type Paint = (style: 'gray' | 'bold' | (typeof COLORS)[keyof typeof COLORS], text: string) => string;

const plain: Paint = (_style, text) => text;
// Whether there are colours was decided before, by the stream that is written to.
const colored: Paint = (style, text) => styleText(style, text, { validateStream: false });

/** Of this machine: whoever reads it looks at the clock beside it. */
function localTime(time: number): string {
  const date = new Date(time);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

const isObject = (value: Plain | undefined): value is PlainObject => typeof value === 'object' && value !== null && !Array.isArray(value);
const isErrorLike = (value: Plain | undefined): value is PlainObject => isObject(value) && typeof value['type'] === 'string' && typeof value['message'] === 'string';

/** Objects as plain JSON: people see where it ends. */
const prettyValue = (value: Plain): string => (typeof value === 'object' && value !== null ? oneLine(jsonText(value)) : logfmtValue(value));

/** An error over several lines: its message, its frames, what else it says, and its causes. All are indented: no text from outside begins a line. */
function errorLines(error: PlainObject, indent: string, heading = ''): string[] {
  const { type, message, stack, cause, errors, ...rest } = error;
  const frames = typeof stack === 'string' ? stack.split('\n').filter((line) => /^\s+at /.test(line)) : [];
  const facts = Object.entries(rest).map(([key, value]) => `${logfmtKey(key)}=${prettyValue(value)}`);
  const inner = `${indent}  `;
  return [
    `${indent}${heading}${oneLine(String(type))}: ${oneLine(String(message))}${facts.length > 0 ? ` (${facts.join(' ')})` : ''}`,
    ...frames.map((line) => `${inner}${oneLine(line.trim())}`),
    ...(isErrorLike(cause) ? errorLines(cause, inner, 'cause: ') : cause === undefined ? [] : [`${inner}cause: ${oneLine(jsonText(cause))}`]),
    ...(Array.isArray(errors) ? (errors as readonly Plain[]).flatMap((each) => (isErrorLike(each) ? errorLines(each, inner) : [`${inner}${oneLine(jsonText(each))}`])) : []),
  ];
}

/** Writes for people: time, level, service, message, fields; errors over several indented lines below. */
export function prettyFormat(colors: boolean): (event: LogEvent) => string {
  const paint = colors ? colored : plain;
  return ({ time, level, fields, message }) => {
    const { service, ...rest } = fields;
    const below = Object.entries(rest).filter(([, value]) => isErrorLike(value));
    const beside = Object.entries(rest).filter(([, value]) => !isErrorLike(value));
    const facts = beside.map(([key, value]) => `${paint('gray', `${logfmtKey(key)}=`)}${prettyValue(value)}`);
    const head = [
      paint('gray', localTime(time)),
      paint(COLORS[level as keyof typeof COLORS] ?? 'bold', level.toUpperCase().padEnd(5)),
      ...(service === undefined ? [] : [paint('gray', logfmtValue(service))]),
      paint('bold', oneLine(message)),
      ...facts,
    ].join(' ');
    return [head, ...below.flatMap(([key, value]) => errorLines(value as PlainObject, '    ', key === 'err' ? '' : `${logfmtKey(key)}: `))].join('\n');
  };
}
