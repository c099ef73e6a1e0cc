import assert from 'node:assert/strict';
import { afterEach, describe, it } from 'node:test';
import { context as otel, propagation, ROOT_CONTEXT } from '@opentelemetry/api';
import { installContext } from '@talaria/context';
import { hasCode, type ServiceError } from '@talaria/errors';
import type { CallPolicy } from './call-policy.ts';
import type { VersionFallback } from './call-target.ts';
import { createConnector, type Connector, type ConnectorOptions } from './connector.ts';
import { inprocTransport } from './inproc/inproc-transport.ts';
import type { Picker } from './picker.ts';
import type { Endpoint } from './resolver.ts';
import { createServer, type Server } from './server.ts';
import { TestDefinition } from './testing/test-contract.ts';
import { formatVersionPreferences, parseVersionPreferences, VERSIONS_BAGGAGE } from './version-preferences.ts';

installContext();
const transport = inprocTransport();
const untried: Picker = { pick: (candidates, { tried }) => candidates.find((one) => !tried.has(one)) ?? candidates[0] ?? assert.fail('no candidate') };
const neverSent: CallPolicy = { begin: () => ({ again: ({ error, untried: left }) => error.outcome === 'never_sent' && left > 0 }) };
const preferring = <T>(text: string, fn: () => T): T => otel.with(propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ [VERSIONS_BAGGAGE]: { value: text } })), fn);

describe('the instances that a call may go to', () => {
  const servers: Server[] = [];
  const connectors: Connector[] = [];
  afterEach(async () => {
    await Promise.all(connectors.splice(0).map((one) => one.close()));
    await Promise.all(servers.splice(0).map((one) => one.drain(0)));
  });

  /** An instance that answers with its name; one that is `away` is registered and not there. */
  const instance = async (name: string, version: string | undefined, away = false): Promise<Endpoint> => {
    const address = `inproc://${name}`;
    if (!away) {
      const server = createServer({ transports: [transport] });
      servers.push(server);
      server.add({ unary: TestDefinition.unary, down: TestDefinition.down }, { unary: async () => name, async *down() { yield name; } });
      await server.listen(address);
    }
    return { id: name, addresses: [address], instance: `inst_${name}`, service: 'service.test', version };
  };
  const connect = (endpoints: () => readonly Endpoint[], options: Partial<ConnectorOptions> = {}): { readonly client: ReturnType<typeof clientOf>; readonly fallbacks: VersionFallback[]; readonly tell: () => void } => {
    const fallbacks: VersionFallback[] = [];
    const listeners = new Set<(all: readonly Endpoint[]) => void>();
    const resolver: ConnectorOptions['resolver'] = { resolve: () => ({ endpoints: endpoints(), onChange: (listener) => (listeners.add(listener), () => {}), close: () => {} }) };
    const connector = createConnector({ resolver, transports: [transport], picker: () => untried, policy: () => neverSent, onVersionFallback: (one) => fallbacks.push(one), ...options });
    connectors.push(connector);
    return { client: clientOf(connector), fallbacks, tell: () => listeners.forEach((listener) => listener(endpoints())) };
  };
  const clientOf = (connector: Connector) => connector.client(TestDefinition);

  it('are those of the version that its principal gets, or all others', async () => {
    const all = [await instance('a', '1.0.0'), await instance('b', '2.0.0'), await instance('c', undefined)];
    const { client, fallbacks } = connect(() => all);
    for (const [text, expected] of [['service.test=2.0.0', 'b'], ['service.test!1.0.0', 'b'], ['service.test!1.0.0,service.test!2.0.0', 'c'], ['service.other=2.0.0', 'a'], ['nonsense', 'a'], ['', 'a'], ['service.other=9,service.test=2.0.0', 'b']] as const) {
      assert.equal(await preferring(text, () => client.unary('x')), expected, text);
      const streamed: string[] = [];
      await preferring(text, async () => { for await (const one of client.down('x')) streamed.push(one); });
      assert.deepEqual(streamed, [expected], text);
    }
    assert.equal(await client.unary('x'), 'a');
    assert.deepEqual(fallbacks, []);
  });

  it('are all when nobody has the version, and that is told', async () => {
    let all = [await instance('a', '1.0.0')];
    const b = await instance('b', '2.0.0');
    const { client, fallbacks, tell } = connect(() => all);
    assert.equal(await preferring('service.test=2.0.0', () => client.unary('x')), 'a');
    assert.deepEqual(fallbacks, [{ contract: 'test.Test', service: 'service.test', wanted: '=2.0.0' }]);
    assert.equal(await preferring('service.test!1.0.0', () => client.unary('x')), 'a');
    assert.equal(fallbacks[1]?.wanted, '!1.0.0');
    all = [...all, b];
    tell();
    assert.equal(await preferring('service.test=2.0.0', () => client.unary('x')), 'b', 'what was chosen before is not remembered for ever');
    assert.equal(fallbacks.length, 2);
  });

  it('stay so for further attempts, and are the others when all were tried', async () => {
    const all = [await instance('a', '1.0.0'), await instance('b', '2.0.0', true), await instance('c', '2.0.0')];
    const { client, fallbacks } = connect(() => all);
    assert.equal(await preferring('service.test=2.0.0', () => client.unary('x')), 'c');
    assert.deepEqual(fallbacks, []);
    const alone = connect(() => all.slice(0, 2));
    const tried: string[] = [];
    assert.equal(await preferring('service.test=2.0.0', () => alone.client.unary('x', { onAttempt: ({ id }) => tried.push(id) })), 'a');
    assert.deepEqual([tried, alone.fallbacks.length], [['b', 'a'], 1]);
  });

  it('are what a call itself asks for, and none else', async () => {
    const all = [await instance('a', '1.0.0'), await instance('b', '2.0.0'), await instance('c', '2.0.0', true)];
    const { client } = connect(() => all);
    assert.equal(await client.unary('x', { version: '2.0.0' }), 'b');
    assert.equal(await client.unary('x', { instance: 'inst_b' }), 'b');
    assert.equal(await preferring('service.test=2.0.0', () => client.unary('x', { version: '1.0.0' })), 'a', 'what the call says goes before');
    const refused = async (options: object, text: RegExp): Promise<void> => {
      await assert.rejects(client.unary('x', options), (error) => hasCode(error, 'unavailable.no_instances') && text.test((error as ServiceError).message));
    };
    await refused({ version: '3.0.0' }, /No instance of test\.Test runs version 3\.0\.0: start one, or ask for one that is there \(1\.0\.0, 2\.0\.0\)/);
    await refused({ instance: 'inst_z' }, /The instance inst_z does not serve test\.Test/);
    await refused({ instance: 'inst_a', version: '2.0.0' }, /inst_a with version 2\.0\.0/);
    await assert.rejects(client.unary('x', { instance: 'inst_c' }), (error) => hasCode(error, 'unavailable.not_sent'), 'an instance that is asked for is not replaced');
    const none = connect(() => []);
    await assert.rejects(none.client.unary('x', { version: '1.0.0' }), /No instance serves test\.Test/);
  });
});

describe('the baggage of preferences', () => {
  it('is read as it is written, and what is malformed is left out', () => {
    const text = 'service.a=2.0.0,service.b!1.0.0,service.b!1.1.0-rc.1+build';
    assert.equal(formatVersionPreferences(parseVersionPreferences(text)), text);
    assert.equal(formatVersionPreferences(parseVersionPreferences('a=1,a=2,a!3,b!1,b=2,=1,c=,d,e==1,f g=1,,')), 'a=1,b!1');
    assert.equal(parseVersionPreferences('x'.repeat(100_000)).size, 0);
  });
});
