// `npx nx run bench:webhook`: the main job under load, as its users see it.
import { createServer } from 'node:http';
import { type AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { eventually, startRealPlatform } from '@talaria/testing';
import { load, median, type LoadResult } from '../load.ts';
import { table } from '../table.ts';
import { cpuByProcess } from './cpu.ts';

const HELP = `Usage: npx nx run bench:webhook [--seconds 5] [--concurrency 16] [--json]

Starts what "npx nx serve webhook-api" starts, on free ports, and asks its gateway: who am I (one service), an account (one
service and its database), a transaction (two services, two databases, and an event that is signed and delivered). Prints
requests a second with the ratio to the first row, how long delivery took, and the CPU time of each process a request.`;

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '5' }, concurrency: { type: 'string', default: '16' }, json: { type: 'boolean' }, help: { type: 'boolean' } },
});

async function main(): Promise<void> {
  const note = (text: string): void => void (values.json || process.stderr.write(`${text}\n`));
  note('starting the platform');
  const platform = await startRealPlatform({ app: 'webhook-api', env: { LOG_LEVEL: 'warn' } });
  const sentAt = new Map<string, number>();
  const deliveredMs = new Map<string, number>();
  const receiver = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      response.end();
      const id = (JSON.parse(Buffer.concat(chunks).toString()) as { data: { dedupe_id: string } }).data.dedupe_id;
      const sent = sentAt.get(id);
      if (sent !== undefined && !deliveredMs.has(id)) deliveredMs.set(id, performance.now() - sent);
    });
  });
  try {
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const ask = async (path: string, init: RequestInit = {}): Promise<unknown> => {
      const answer = await fetch(platform.gateway + path, { ...init, headers: { ...authorization, ...init.headers } });
      if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    };
    let authorization: Record<string, string> = {};
    const credentials = new URLSearchParams({ grant_type: 'client_credentials', client_id: 'dev', client_secret: 'dev-secret' });
    const { access_token: token } = (await ask('/oauth2/token', { method: 'POST', body: credentials })) as { access_token: string };
    authorization = { authorization: `Bearer ${token}` };
    const { account } = (await ask('/accounts', { method: 'POST', body: new URLSearchParams({ description: 'Bench' }) })) as { account: { id: string } };
    const url = `http://localhost:${(receiver.address() as AddressInfo).port}/`;
    await ask('/webhooks', { method: 'POST', body: new URLSearchParams({ account_id: account.id, url }) });
    const record = (index: number): Promise<unknown> => {
      const id = `order-${index}`;
      sentAt.set(id, performance.now());
      const body = JSON.stringify({ account_id: account.id, amount: -520, currency: 'GBP', description: 'Coffee', dedupe_id: id });
      return ask('/transactions', { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    };
    const rows: { name: string; call: (index: number) => Promise<unknown> }[] = [
      { name: 'GET /ping/whoami', call: () => ask('/ping/whoami') },
      { name: 'GET /accounts/{id}', call: () => ask(`/accounts/${account.id}`) },
      { name: 'POST /transactions', call: record },
    ];
    const [concurrency, ms] = [Number(values.concurrency), Number(values.seconds) * 1000];
    const results: (LoadResult & { readonly name: string; readonly ratio: number; readonly cpuMicros: Record<string, number> })[] = [];
    for (const { name, call } of rows) {
      note(`${name} for ${values.seconds} s`);
      const processes = await platform.processes();
      await load((index) => call(-1 - index), { concurrency, ms: ms / 5 });
      const before = cpuByProcess(processes);
      const result = await load(call, { concurrency, ms });
      const after = cpuByProcess(processes);
      const cpuMicros = Object.fromEntries([...after].map(([process, seconds]) => [process, ((seconds - (before.get(process) ?? 0)) * 1e6) / result.calls]));
      results.push({ name, ...result, ratio: result.callsPerSecond / (results[0]?.callsPerSecond ?? result.callsPerSecond), cpuMicros });
    }
    note('waiting for the last delivery');
    await eventually(() => deliveredMs.size === sentAt.size, { limitMs: 300_000 });
    const delays = [...deliveredMs.values()].sort((a, b) => a - b);
    const delivery = { events: delays.length, p50Ms: median(delays), p99Ms: delays[Math.floor(delays.length * 0.99)] ?? Number.NaN };
    if (values.json) {
      console.log(JSON.stringify({ results, delivery }, undefined, 2));
      return;
    }
    console.log(
      table(
        ['gateway', 'requests/s', 'ratio', 'p50 ms', 'p99 ms', 'failed'],
        results.map((each) => [each.name, each.callsPerSecond.toFixed(0), `${each.ratio.toFixed(2)}x`, each.p50Ms.toFixed(1), each.p99Ms.toFixed(1), String(each.failed)]),
      ),
    );
    console.log(`\nfrom request to delivery, ${delivery.events} events: p50 ${delivery.p50Ms.toFixed(0)} ms, p99 ${delivery.p99Ms.toFixed(0)} ms\n`);
    const names = [...new Set(results.flatMap(({ cpuMicros }) => Object.keys(cpuMicros)))].sort();
    console.log(table(['CPU µs a request', ...results.map(({ name }) => name)], names.map((name) => [name, ...results.map(({ cpuMicros }) => (cpuMicros[name] ?? 0).toFixed(0))])));
    if (results.some(({ failed }) => failed > 0)) process.exitCode = 1;
  } finally {
    receiver.close();
    receiver.closeAllConnections();
    await platform.stop();
  }
}

if (values.help) console.log(HELP);
else await main();
