import { formatDuration } from '@talaria/config';
import { targetText, type Change, type JsonValue } from '@talaria/config/store';
import { printable, type Style } from '../terminal.ts';

const MAX_CELL = 60;

/** A value for people: a text as it is, everything else as JSON. */
export function valueWords(value: JsonValue | undefined, nothing = ''): string {
  if (value === undefined) return nothing;
  return printable(typeof value === 'string' && value !== '' ? value : JSON.stringify(value));
}

/** A value in the cell of a table. */
export function cell(value: JsonValue | undefined, nothing = ''): string {
  const text = valueWords(value, nothing).replaceAll(/\s+/g, ' ');
  return text.length > MAX_CELL ? `${text.slice(0, MAX_CELL - 1)}…` : text;
}

/** A value in the cell of a table, with its unit if it is a number. */
export function measured(value: JsonValue | undefined, unit: string | undefined, nothing = ''): string {
  return typeof value === 'number' && unit !== undefined ? `${value} ${printable(unit)}` : cell(value, nothing);
}

/** A time as records have it, without the part of a second. */
export const timeWords = (at: string): string => printable(at.replace(/\.\d+Z$/, 'Z'));

/** How long, in the two largest units. */
export function longWords(seconds: number): string {
  const rounded = seconds > 86_400 ? seconds - (seconds % 3600) : seconds > 3600 ? seconds - (seconds % 60) : seconds;
  return formatDuration(rounded * 1000);
}

/** `before → after` of each setting of a change. */
export function settingLines({ settings, temporary, forMs }: Change): readonly string[] {
  const width = Math.max(...settings.map(({ name }) => name.length));
  const end = temporary ? (forMs === undefined ? '  until whoever set it is gone' : `  for ${longWords(Math.ceil(forMs / 1000))}`) : '';
  return settings.map(({ name, before, after, endedTemporary }) => {
    const ended = endedTemporary === undefined ? '' : `  (ends the temporary ${valueWords(endedTemporary)})`;
    return `${printable(name).padEnd(width)}  ${valueWords(before, '(unset)')} → ${valueWords(after, '(unset)')}${end}${ended}`;
  });
}

/** A change, over several lines. */
export function changeText(change: Change, style: Style): string {
  const { id, at, who, why, target, rekey, rollbackOf } = change;
  const head = `${style.strong(printable(id))}  ${timeWords(at)}  ${printable(who)}  ${printable(targetText(target))}`;
  const lines = rekey ? [`${change.settings.map(({ name }) => printable(name)).join(', ')}  encrypted with another key`] : settingLines(change);
  return [
    head,
    ...lines.map((line) => `  ${line}`),
    ...(rollbackOf === undefined ? [] : [`  ${style.dim(`takes back ${printable(rollbackOf)}`)}`]),
    ...(why === undefined ? [] : [`  ${style.dim(`because: ${printable(why)}`)}`]),
    '',
  ].join('\n');
}

/** JSON of what the store answers: revisions as numbers, targets as people write them. */
export function jsonText(value: unknown, indent?: number): string {
  return `${JSON.stringify(value, (name, each: unknown) => (typeof each === 'bigint' ? Number(each) : name === 'target' && typeof each === 'object' ? targetText(each as Change['target']) : each), indent)}\n`;
}
