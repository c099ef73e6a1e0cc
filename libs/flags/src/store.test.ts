import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { silentLogger } from '@talaria/base';
import { connectEtcd, type Etcd } from '@talaria/etcd';
import { engines, type EtcdProcess } from '@talaria/etcd/testing';
import { flagStore, sharesOf, type ExperimentDocument, type FlagStore } from './index.ts';

const onOff = { state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off' };
const document = (...flags: string[]): string => JSON.stringify({ flags: Object.fromEntries(flags.map((flag) => [flag, onOff])) });

let server: EtcdProcess;
let etcd: Etcd;
let spaces = 0;
before(async () => {
  server = (await engines[0]?.start()) as EtcdProcess;
  etcd = connectEtcd({ endpoints: server.endpoint, log: silentLogger, requestTimeoutMs: 20_000 });
});
after(async () => {
  etcd?.close();
  await server?.stop();
});
const stores = (): { readonly ada: FlagStore; readonly bob: FlagStore; readonly namespace: string } => {
  const namespace = `store-${++spaces}`;
  return { ada: flagStore({ etcd, namespace, who: 'ada' }), bob: flagStore({ etcd, namespace, who: 'bob' }), namespace };
};
const experiment = async (store: FlagStore, name: string): Promise<ExperimentDocument> => JSON.parse((await store.read()).experiments.find((each) => each.name === name)?.text ?? '') as ExperimentDocument;

test('what services would keep out is refused, with the reason, and nothing is written', async () => {
  const { ada } = stores();
  await ada.applyFlags('one', document('a'));
  for (const [name, text, reason] of [
    ['two', 'no json', /The document two is refused: it is not JSON/],
    ['two', '{}', /it is no flag document/],
    ['two', document('a'), /the flag a is in the document one already/],
    ['two', JSON.stringify({ flags: { b: { ...onOff, defaultVariant: 'nowhere' } } }), /nowhere/],
    ['two', JSON.stringify({ flags: { b: { ...onOff, targeting: { no_such_operator: [] } } } }), /'b'.*JSONLogic/],
    ['two', JSON.stringify({ flags: { b: { ...onOff, variants: { on: true, off: 'x' } } } }), /flagd's schema: flags\.b/],
    ['a/b', document('b'), /no name for a document/],
  ] as const) {
    await assert.rejects(ada.applyFlags(name, text), { name: 'FlagStoreError', message: reason });
  }
  for (const [input, reason] of [
    [{ key: 'customer' }, /needs the shares/],
    [{ key: 'customer', shares: { on: 0.7, off: 0.7 } }, /come to 140%/],
    [{ key: 'customer', shares: { gold: 0.7 } }, /no variant gold/],
    [{ key: 'planet', shares: { on: 1 } }, /key/],
  ] as const) {
    await assert.rejects(ada.applyExperiment('a', input as never), { name: 'FlagStoreError', message: reason });
  }
  await assert.rejects(ada.applyExperiment('b', { key: 'customer', shares: { on: 1 } }), /no flag b/);
  await assert.rejects(ada.setFlagState('b', 'DISABLED'), /There is no flag b: there are a\./);
  await assert.rejects(ada.removeExperiment('b'), /There is no experiment b: there are none yet\./);
  const { flags, experiments } = await ada.read();
  assert.deepEqual([flags.map(({ name }) => name), experiments], [['one'], []]);
});

test('two people cannot overwrite each other: who comes second is told who was first', async () => {
  const { ada, bob } = stores();
  await ada.applyFlags('one', document('a'), { ifRevision: 0n });
  const revision = (await ada.read()).flags[0]?.revision ?? 0n;
  await bob.applyFlags('one', document('a', 'b'), { ifRevision: revision, why: 'more' });
  await assert.rejects(ada.applyFlags('one', document('a', 'c'), { ifRevision: revision }), /flags\/one is not at revision \d+, but at \d+: bob changed it at .*Z \(apply, 2 flags: more\)/);
  await Promise.all(['x', 'y', 'z'].map((flag) => ada.applyFlags(flag, document(flag))));
  assert.deepEqual((await ada.history()).slice(-2).map(({ who, document: of, what, why }) => [who, of, what, why]), [['bob', 'flags/one', 'apply, 2 flags', 'more'], ['ada', 'flags/one', 'apply, 1 flags', undefined]]);
});

test('a flag is killed and revived, and the rest of its document stays as it was', async () => {
  const { ada } = stores();
  await ada.applyFlags('one', JSON.stringify({ ...JSON.parse(document('a', 'b')), metadata: { team: 'x' } }));
  const before = JSON.parse((await ada.read()).flags[0]?.text ?? '') as { flags: Record<string, { state: string }> };
  await ada.setFlagState('a', 'DISABLED');
  const killed = JSON.parse((await ada.read()).flags[0]?.text ?? '') as typeof before;
  assert.deepEqual([killed.flags['a']?.state, killed.flags['b']?.state], ['DISABLED', 'ENABLED']);
  await ada.setFlagState('a', 'ENABLED');
  assert.deepEqual(JSON.parse((await ada.read()).flags[0]?.text ?? ''), before);
});

test('shares change so that nobody moves who need not, and groups share their buckets', async () => {
  const { ada } = stores();
  await ada.applyFlags('one', document('a', 'b'));
  await ada.applyExperiment('a', { key: 'customer', group: 'g', shares: { on: 0.1, off: 0.1 } });
  await ada.applyExperiment('b', { key: 'customer', group: 'g', shares: { on: 0.5 } });
  assert.deepEqual((await experiment(ada, 'b')).allocation, { on: [[200_000, 700_000]] });
  await ada.changeExperiment('a', { shares: { on: 0.2, off: 0.1 } }, 'share');
  assert.deepEqual((await experiment(ada, 'a')).allocation, { on: [[0, 100_000], [700_000, 800_000]], off: [[100_000, 200_000]] });
  await ada.changeExperiment('a', { state: 'stopped' }, 'stop');
  const stopped = await experiment(ada, 'a');
  assert.deepEqual([stopped.state, sharesOf(stopped.allocation)], ['stopped', { on: 0.2, off: 0.1 }]);
  await assert.rejects(ada.changeExperiment('b', { shares: { on: 0.8 } }, 'share'), /come to 80%, and 70% can be had/);
  for (const changed of [{ key: 'device' }, { group: 'other' }, { group: undefined, salt: 'run-2' }] as const) await assert.rejects(ada.changeExperiment('a', changed, 'x'), /everybody would move/);
  await assert.rejects(ada.removeFlags('one'), /the experiment [ab] would decide nothing/);
  await assert.rejects(ada.applyFlags('one', document('b')), /the experiment a would decide nothing/);
  await ada.removeExperiment('a');
  await ada.changeExperiment('b', { shares: { on: 1 } }, 'share');
});
