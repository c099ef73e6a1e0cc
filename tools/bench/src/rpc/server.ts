// The server of one stack, in a process of its own: says its port, and its CPU time when asked.
import { STACKS, type BenchKeys } from './stacks.ts';

const [name, keys] = process.argv.slice(2) as [string, string];
const stack = STACKS.find((each) => each.name === name);
if (!stack || !process.send) throw new Error('This is started by `npx nx run bench:rpc`.');
const port = await stack.serve(JSON.parse(keys) as BenchKeys);
process.on('message', () => process.send?.({ cpu: process.cpuUsage() }));
process.on('disconnect', () => process.exit());
process.send({ port });
