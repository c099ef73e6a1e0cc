import type { Row } from './row.ts';

const STACKS = { talaria: 'Talaria', plain: 'grpc-js alone' } as const;
const HEADINGS = ['fault', 'client', 'calls', 'failed', 'p50 ms', 'p99 ms', 'p99 vs healthy', 'out after', 'back after', 'verdict'];

const ms = (value: number | undefined): string => (value === undefined || Number.isNaN(value) ? '-' : value.toFixed(1));
const seconds = (value: number | undefined): string => (value === undefined ? '-' : `${(value / 1000).toFixed(2)} s`);

function cells(row: Row): string[] {
  const ratio = Number.isNaN(row.ratio) ? '-' : `${row.ratio.toFixed(2)}x`;
  const verdict = row.stack === 'plain' ? '' : row.missed.length === 0 ? 'held' : 'MISSED';
  return [row.fault, STACKS[row.stack], String(row.calls), String(row.failed), ms(row.p50Ms), ms(row.p99Ms), ratio, seconds(row.outMs), seconds(row.backMs), verdict];
}

/** The rows as text, with what was noted and missed below. */
export function table(rows: readonly Row[]): string {
  const lines = [HEADINGS, ...rows.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const text = lines.map((line) => line.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ').trimEnd());
  const notes = rows.flatMap(({ fault, stack, notes: said, missed, errors }) => [
    ...(said.length > 0 ? [`${fault}, ${STACKS[stack]}: ${said.join('; ')}`] : []),
    ...missed.map((bar) => `MISSED ${fault}: ${bar}${Object.keys(errors).length > 0 ? ` (${JSON.stringify(errors)})` : ''}`),
  ]);
  return [text[0], widths.map((width) => '-'.repeat(width)).join('  '), ...text.slice(1), '', ...notes].join('\n');
}
