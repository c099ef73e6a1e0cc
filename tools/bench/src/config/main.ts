// `npx nx run bench:config`: how long a change of live settings takes from the write until every instance has applied it.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { silentLogger as log } from '@talaria/base';
import { connectEtcd } from '@talaria/etcd';
import { engines, type Engine } from '@talaria/etcd/testing';
import { table } from '../table.ts';

const HELP = `Usage: npx nx run bench:config [--instances 3] [--changes 200] [--json]

Writes changes of three settings each to etcd, one after the other, and prints after how many ms each instance (a process of its
own) had applied one, counted from before the write; and after how many all of them had. In the embedded etcd, and in etcd itself
where it is installed. To stay below: 100 ms.`;

const { values } = parseArgs({ options: { instances: { type: 'string', default: '3' }, changes: { type: 'string', default: '200' }, json: { type: 'boolean' }, help: { type: 'boolean' } } });
const PREFIX = 'talaria/default/config/service/service.bench/';
const WARM_UP_CHANGES = 20;

interface Figures {
  readonly engine: string;
  /** In ms: until an instance had applied it, and until the last one had. */
  readonly each: readonly number[];
  readonly last: readonly number[];
}

interface Applied {
  readonly number: number;
  readonly at: string;
  readonly whole: boolean;
}

const at = (sorted: readonly number[], share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

async function appliedBy(child: ChildProcess, number: number): Promise<bigint> {
  for (;;) {
    const [message] = (await once(child, 'message')) as [Applied];
    if (!message.whole) throw new Error(`change ${number} was applied by half`);
    if (message.number === number) return BigInt(message.at);
  }
}

async function measure(engine: Engine): Promise<Figures> {
  const server = await engine.start();
  const etcd = connectEtcd({ endpoints: server.endpoint, log });
  const children = Array.from({ length: Number(values.instances) }, (_, number) => fork(join(import.meta.dirname, 'instance.ts'), [server.endpoint, `inst_${number}`]));
  const each: number[] = [];
  const last: number[] = [];
  try {
    await Promise.all(children.map((child) => once(child, 'message')));
    for (let number = 1; number <= WARM_UP_CHANGES + Number(values.changes); number++) {
      const all = Promise.all(children.map((child) => appliedBy(child, number)));
      const before = process.hrtime.bigint();
      await etcd.transaction({
        compare: [],
        success: [
          { put: `${PREFIX}bench.number`, value: String(number) },
          { put: `${PREFIX}bench.again`, value: String(number) },
          { put: `${PREFIX}bench.hosts`, value: JSON.stringify([`host-${number}`]) },
        ],
      });
      const ms = (await all).map((applied) => Number(applied - before) / 1e6);
      if (number <= WARM_UP_CHANGES) continue;
      each.push(...ms);
      last.push(Math.max(...ms));
    }
  } finally {
    for (const child of children) child.kill('SIGKILL');
    etcd.close();
    await server.stop();
  }
  return { engine: engine.name, each: each.sort((a, b) => a - b), last: last.sort((a, b) => a - b) };
}

if (values.help) {
  console.log(HELP);
} else {
  const found: Figures[] = [];
  for (const engine of engines) if (!engine.skip) found.push(await measure(engine));
  const rows = found.flatMap(({ engine, each, last }) => [
    { engine, what: 'an instance', values: each },
    { engine, what: `all ${values.instances}`, values: last },
  ]);
  if (values.json) {
    console.log(JSON.stringify(rows.map(({ engine, what, values: ms }) => ({ engine, what, p50: at(ms, 0.5), p99: at(ms, 0.99), max: ms.at(-1) }))));
  } else {
    const ms = (value: number): string => value.toFixed(1);
    console.log(table(['write to applied, ms', 'by', 'p50', 'p99', 'max'], rows.map(({ engine, what, values: each }) => [engine, what, ms(at(each, 0.5)), ms(at(each, 0.99)), ms(each.at(-1) ?? Number.NaN)])));
  }
}
