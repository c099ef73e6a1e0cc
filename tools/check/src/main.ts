// `npm test`: everything that CI checks, with one closing line.
import { parseArgs } from 'node:util';
import { runStep, type StepResult } from './step.ts';
import { add, closingLine, NOTHING, type Tally } from './tally.ts';

const HELP = `Usage: npm test [-- options]

Runs lint, typecheck, build, the tests of every project, the end-to-end tests and a first service from
packed packages, and ends with "N passed, N failed".

  --only STEP   one of static, unit, e2e, outside; may be repeated
  --help        this text

With CI=true nothing comes from a cache, and what a test needs and the machine lacks is a failure.`;

const STEPS = {
  static: ['run-many', '-t', 'lint', 'typecheck', 'build'],
  unit: ['run-many', '-t', 'test'],
  e2e: ['run', 'e2e:e2e'],
  outside: ['run', 'e2e:five-minutes'],
} as const;
type StepName = keyof typeof STEPS;

/** A step without tests, or whose failure no test accounts for, still counts. */
function tallyOf({ ok, tally }: StepResult): Tally {
  return !ok && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string', multiple: true }, help: { type: 'boolean' } } });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const names = (values.only ?? Object.keys(STEPS)) as StepName[];
  const unknown = names.filter((name) => !Object.hasOwn(STEPS, name));
  if (unknown.length > 0) {
    console.error(`There is no step ${unknown.join(', ')}: use ${Object.keys(STEPS).join(', ')}.`);
    return 2;
  }
  const results: StepResult[] = [];
  for (const name of names) {
    results.push(await runStep(name, [...STEPS[name], ...(process.env['CI'] ? ['--skip-nx-cache'] : [])]));
  }
  console.log('');
  for (const { name, ok, tally, seconds } of results) console.log(`${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(7)} ${seconds.toFixed(0).padStart(4)} s  ${closingLine(tally)}`);
  console.log(closingLine(results.map(tallyOf).reduce(add, NOTHING)));
  return results.every(({ ok }) => ok) ? 0 : 1;
}

process.exitCode = await main();
