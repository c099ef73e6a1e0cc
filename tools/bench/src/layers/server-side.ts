import { admission, createFaults, faultyTransport } from '@talaria/resilience';
import { createServer, Metadata, priorityMiddleware, Status, type Admission, type IncomingCall, type ServedMethod, type ServerOptions, type Transport } from '@talaria/rpc';
import { BenchDefinition } from './contract.ts';
import type { Variant } from './measure.ts';
import { MESSAGE, nullTransport } from './null-transport.ts';

const METADATA = Metadata({ 'x-talaria-caller': 'a token', baggage: 'tenant=a', 'user-agent': 'bench' });
const PEER = { address: '127.0.0.1:1' };
const NEVER = new AbortController().signal;

async function* requests(): AsyncGenerator<Uint8Array, void, undefined> {
  yield MESSAGE;
}

/** What a transport does with a call, without the wire. */
async function arrive(method: ServedMethod): Promise<void> {
  const { path } = method;
  const deadline = performance.now() + 1_000;
  let over: ((code: Status) => void) | undefined;
  if (method.admission) {
    const decision = await method.admission.admit({ path, method, peer: PEER, deadline, gone: false, header: (name) => METADATA.get(name) as string | undefined });
    if ('refusal' in decision) throw new Error('A call was refused: nothing is measured then');
    const admittedAt = performance.now();
    over = (code) => decision.done({ code, durationMs: performance.now() - admittedAt });
  }
  const call: IncomingCall = { path, peer: PEER, metadata: METADATA, deadline, signal: NEVER, leaving: NEVER, requests: requests(), sendHeader: () => {}, setTrailer: () => {} };
  for await (const _ of method.handler(call));
  over?.(Status.OK);
}

async function server(name: string, path: string, options: Partial<ServerOptions>, around: (transport: Transport) => Transport = (transport) => transport): Promise<Variant> {
  const transport = nullTransport();
  const made = createServer({ transports: [around(transport)], ...options });
  const handler = async (): Promise<unknown> => MESSAGE;
  made.add(BenchDefinition, { get: handler, urgent: handler });
  await made.listen('null://server');
  const method = transport.served.get(path);
  if (!method) throw new Error(`${path} is not served`);
  return { name, call: () => arrive(method), close: () => made.drain(0) };
}

const faulty = (transport: Transport): Transport => faultyTransport(transport, createFaults({ rules: { get: () => [], onChange: () => () => {} }, service: 'service.bench', instance: 'inst_bench' }));
/** As a service has it: by the caller, and by live settings that nobody has set. */
const admitting = (): { readonly admission: Admission } => ({ admission: admission({ settings: { get: () => NOTHING, onChange: () => () => {} }, limits: { get: () => NOTHING, onChange: () => () => {} }, caller: (call) => call.header('x-talaria-caller') }) });
const NOTHING = {};
const GET = '/bench.Bench/Get';

/** Servers with none, one, and all of the layers. */
export async function serverSide(): Promise<readonly Variant[]> {
  return [
    await server('none', GET, {}),
    await server('admission', GET, admitting()),
    await server('faults', GET, {}, faulty),
    await server('priority', GET, { middleware: [priorityMiddleware()] }),
    await server('urgent', '/bench.Bench/Urgent', { middleware: [priorityMiddleware()] }),
    await server('all', '/bench.Bench/Urgent', { ...admitting(), middleware: [priorityMiddleware()] }, faulty),
  ];
}
