/** How many tests passed, failed and were skipped. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

export const NOTHING: Tally = { passed: 0, failed: 0, skipped: 0 };

const FIELDS: Readonly<Record<string, keyof Tally>> = { pass: 'passed', fail: 'failed', cancelled: 'failed', skipped: 'skipped' };

/** Adds what a line of node's test runner says, such as `ℹ pass 12`, whatever stands before it. */
export function count(tally: Tally, line: string): Tally {
  const found = /(?:ℹ|#) (pass|fail|cancelled|skipped) (\d+)\s*$/.exec(line);
  const field = found?.[1] === undefined ? undefined : FIELDS[found[1]];
  return field === undefined ? tally : { ...tally, [field]: tally[field] + Number(found?.[2]) };
}

/** The sum of two. */
export function add(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped };
}

/** `12 passed, 0 failed`, and `, 1 skipped` if any were. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
