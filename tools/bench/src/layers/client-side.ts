import { silentLogger } from '@talaria/base';
import { answer, balancedPicker, callPolicies, createFaults, faultyTransport, staleAnswers, withFallbacks, type Fallbacks } from '@talaria/resilience';
import { contractMethod, createConnector, Metadata, staticResolver, type CallPlan, type ClientMiddleware, type ConnectorOptions, type Picker, type Transport } from '@talaria/rpc';
import { BenchDefinition } from './contract.ts';
import type { Variant } from './measure.ts';
import { nullConnection, nullTransport } from './null-transport.ts';

const ADDRESSES = ['null://a', 'null://b', 'null://c'];

/** Straight to the wire: neither a policy, nor attempts, nor a choice of instances. */
function direct(): ClientMiddleware {
  const connection = nullConnection('null://a');
  return async function* (call, options) {
    const method = contractMethod(call.method);
    const { deadline } = options as { readonly deadline?: number };
    const wire = { metadata: options.metadata ?? Metadata(), deadline, signal: options.signal };
    return method.definition.responseDeserialize(await connection.unary(method, method.definition.requestSerialize(call.request), wire)) as never;
  };
}

const first: Picker = { pick: (candidates) => candidates[0] as (typeof candidates)[number] };
/** All that may be wanted of attempts: a limit of each, a hedge. Neither is needed, as nearly always. */
const plan: CallPlan = { attemptTimeoutMs: 5_000, hedgeAfterMs: () => 50, hedge: () => false, again: () => false };
const fixed = (): Pick<ConnectorOptions, 'policy' | 'picker'> => ({ policy: () => ({ begin: () => plan }), picker: () => first });
const faulty = (transport: Transport): Transport => faultyTransport(transport, createFaults({ rules: { get: () => [], onChange: () => () => {} }, service: 'service.bench', instance: 'inst_bench' }));

function client(name: string, options: Partial<ConnectorOptions>, fallbacks?: Fallbacks<typeof BenchDefinition>): Variant {
  const connector = createConnector({ resolver: staticResolver({ 'bench.Bench': ADDRESSES }), transports: [nullTransport()], ...fixed(), ...options });
  const plain = connector.client(BenchDefinition);
  const made = fallbacks ? withFallbacks(BenchDefinition, plain, fallbacks) : plain;
  return { name, call: () => made.get(undefined), close: () => connector.close() };
}

const policy = (): Pick<ConnectorOptions, 'policy'> => ({ policy: callPolicies({ log: silentLogger }) });
const picker = (): Pick<ConnectorOptions, 'picker'> => ({ picker: (contract) => balancedPicker({ contract, clientId: 'bench' }) });
const faults = (): Pick<ConnectorOptions, 'transports'> => ({ transports: [faulty(nullTransport())] });

/** Clients with none, one, and all of the layers. */
export function clientSide(): readonly Variant[] {
  return [
    client('direct', { middleware: [direct()] }),
    client('attempts', {}),
    client('policy', policy()),
    client('picker', picker()),
    client('fallback', {}, { get: answer(() => undefined) }),
    client('stale', {}, { get: staleAnswers({ maxAgeMs: 60_000 }) }),
    client('faults', faults()),
    client('all', { ...policy(), ...picker(), ...faults() }, { get: answer(() => undefined) }),
  ];
}
