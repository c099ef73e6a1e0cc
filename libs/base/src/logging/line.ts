import type { LogEvent } from './format.ts';
import { MAX_EVENT, newWalk, plainFields } from './plain.ts';

/** Of the line of an event, in bytes and with its line break, whatever its format: readers of lines, `serve` among them, take no more. */
export const MAX_LINE = 65_536;

/** Whether a text is short enough; most are so short that their bytes need no counting. */
const fits = (text: string): boolean => text.length * 3 < MAX_LINE || Buffer.byteLength(text) < MAX_LINE;

/** The line of an event. Formats repeat names, escape once more and indent: of what becomes too long, fewer fields are written. */
export function lineOf(event: LogEvent, format: (event: LogEvent) => string): string {
  let text = format(event);
  for (let most = MAX_EVENT / 2; most >= 1 && !fits(text); most /= 2) text = format({ ...event, fields: plainFields(event.fields, newWalk(most)) });
  return `${text}\n`;
}
