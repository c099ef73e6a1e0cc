import type { RegisteredEndpoint, RegisterOptions, RegistrationChange } from './registry.ts';

/**
 * The value of an instance's key: etcd's own gRPC naming convention, with `Ext` for what is ours. `Metadata` must stay null:
 * newer versions of grpc-go panic on an object.
 * Source: https://pkg.go.dev/go.etcd.io/etcd/client/v3/naming
 */
export function toValue({ address, ext: { ready = true, ...ext } }: RegisterOptions): string {
  return JSON.stringify({ Op: 0, Addr: address, Metadata: null, Ext: { ...ext, ...(ready ? {} : { ready }), addresses: ext.addresses ?? [`h2c://${address}`] } });
}

/** An instance after a change; what the change leaves out stays. */
export function changed({ ext, ...where }: RegisterOptions, { ready = ext.ready, weight = ext.weight }: RegistrationChange): RegisterOptions {
  return { ...where, ext: { ...ext, ready, weight } };
}

/** The endpoint that a value names. Throws for a value that names none. What lacks `Ext` was put there by others, such as Go's endpoint manager. */
export function fromValue(value: string): RegisteredEndpoint {
  const parsed = asRecord(JSON.parse(value), 'the value');
  const { Addr: address, Op: operation } = parsed;
  if (typeof address !== 'string' || address === '') throw new Error('it has no Addr');
  if (operation !== undefined && operation !== 0) throw new Error('its Op is not 0 (add)');
  const ext = parsed['Ext'] == null ? {} : asRecord(parsed['Ext'], 'Ext');
  const given = ext['addresses'];
  const addresses = Array.isArray(given) ? given.filter((each) => typeof each === 'string' && each.includes('://')) : [];
  return {
    id: address,
    addresses: addresses.length > 0 ? addresses : [`h2c://${address}`],
    ...texts(ext, ['instance', 'service', 'version', 'zone', 'startedAt', 'descriptor']),
    ...(typeof ext['weight'] === 'number' && ext['weight'] >= 0 ? { weight: ext['weight'] } : {}),
    // Only what says so is not ready: what others put there says nothing.
    ...(ext['ready'] === false ? { ready: false } : {}),
  };
}

function asRecord(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is not an object`);
  return value as Record<string, unknown>;
}

function texts(from: Record<string, unknown>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (typeof from[name] === 'string' ? [[name, from[name]]] : [])));
}

/** In a fixed order, and each only once. */
export function sortEndpoints<E extends RegisteredEndpoint>(endpoints: Iterable<E>): readonly E[] {
  const byId = new Map([...endpoints].map((endpoint) => [endpoint.id, endpoint]));
  return [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}
