// npx nx run service:cycles: how many times contracts can come and go without a trace, in memory and in etcd.
import { runEtcdCycles } from './etcd-cycles.ts';
import { runMemoryCycles } from './memory-cycles.ts';

const cycles = Number(process.argv[2] ?? 1_000);
for (const [where, run] of [
  ['memory', runMemoryCycles],
  ['etcd', runEtcdCycles],
] as const) {
  const startedAt = performance.now();
  const { calls, failures, before, after } = await run(cycles, 50);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  process.stdout.write(`${where}: ${cycles} cycles in ${seconds} s, ${calls} calls of the contract that stays, ${failures.length} failed; heap ${Math.round((after.heap - before.heap) / 1024)} KiB more in the second half\n`);
}
