import { type StepResult } from './step.ts';
import { add, closingLine, NOTHING } from './tally.ts';

const list = (heading: string, entries: readonly string[]): string[] => (entries.length === 0 ? [] : [heading, ...entries.map((entry) => `  ${entry}`), '']);

/** What the steps came to, ending with the sum of all: `12 passed, 0 failed`. */
export function report(results: readonly StepResult[]): string {
  return [
    ...list('failed:', results.flatMap(({ failures }) => failures)),
    ...list('flaky: did not pass at first, and passed when run again. Each is a fault to be mended (docs/decisions/0014-flaky-tests.md):', results.flatMap(({ flaky }) => flaky)),
    ...results.map(({ name, ok, tally, seconds }) => `${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(12)} ${seconds.toFixed(0).padStart(4)} s  ${closingLine(tally)}`),
    closingLine(results.map(({ tally }) => tally).reduce(add, NOTHING)),
  ].join('\n');
}
