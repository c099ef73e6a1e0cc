// `npm test`: everything that CI checks, with one closing line.
import { parseArgs } from 'node:util';
import { report } from './report.ts';
import { type StepResult } from './step.ts';
import { stepsFor } from './steps.ts';

const HELP = `Usage: npm test [-- options]

Runs lint, typecheck, build, the tests of every project, the end-to-end tests and a first service from
packed packages, and ends with "N passed, N failed". A project, or a file of end-to-end tests, that fails
is run once more, alone; what passes then has passed, and is listed as flaky.

  --only STEP      one of static, unit, e2e, outside, engines-unit, engines-e2e; may be repeated
  --etcd ADDRESS   a real etcd (host:port) and
  --postgres URL   a real PostgreSQL (without a database name), for the steps engines-unit and engines-e2e:
                   the suites for which it matters run against them too
  --help           this text

With CI=true nothing comes from a cache, and what a test needs and the machine lacks is a failure.`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: { only: { type: 'string', multiple: true }, etcd: { type: 'string' }, postgres: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const { etcd, postgres } = values;
  if ((etcd === undefined) !== (postgres === undefined)) {
    console.error('Give both --etcd and --postgres, or neither.');
    return 2;
  }
  const steps = stepsFor(etcd !== undefined && postgres !== undefined ? { etcd, postgres } : undefined);
  const names = values.only ?? Object.keys(steps);
  const unknown = names.filter((name) => !Object.hasOwn(steps, name));
  if (unknown.length > 0) {
    console.error(`There is no step ${unknown.join(', ')}: use ${Object.keys(steps).join(', ')}${etcd === undefined ? ', and with --etcd and --postgres engines-unit, engines-e2e' : ''}.`);
    return 2;
  }
  const results: StepResult[] = [];
  for (const name of names) {
    const result = await steps[name]?.();
    if (result) results.push(result);
  }
  console.log(`\n${report(results)}`);
  return results.every(({ ok }) => ok) ? 0 : 1;
}

process.exitCode = await main();
