import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { silentLogger as log, type SharedDocument } from '@talaria/base';
import { connectEtcd, etcdDocuments, type Etcd } from './index.ts';
import { engines, eventually, type EtcdProcess } from './testing/index.ts';

for (const engine of engines) {
  describe(`shared documents in ${engine.name}`, { skip: engine.skip }, () => {
    let server: EtcdProcess;
    let etcd: Etcd;
    let now: ReadonlyMap<string, SharedDocument> | undefined;
    let stop = () => {};
    const put = (name: string, text: string) => etcd.put(`talaria/test/flags/${name}`, text);
    const texts = () => Object.fromEntries([...(now ?? [])].map(([name, { text, lost }]) => [name, lost ? `${text} (lost)` : text]));
    const becomes = (expected: Record<string, string>) =>
      eventually(`the documents are ${JSON.stringify(expected)}`, () => isDeepStrictEqual(texts(), expected));
    before(async () => {
      server = await engine.start();
      etcd = connectEtcd({ endpoints: server.endpoint, log });
      stop = etcdDocuments({ etcd, log, namespace: 'test' }).watch('flags/', (documents) => (now = documents));
    });
    after(async () => {
      stop();
      etcd?.close();
      await server?.stop();
    });

    it('tells what there is, what is written and what is deleted', async () => {
      await eventually('there is a first listing', () => now !== undefined);
      await put('one', '1');
      await put('odd name/ä', '{}');
      await etcd.put('talaria/test/flagstaff', 'not ours');
      await becomes({ one: '1', 'odd name/ä': '{}' });
      await etcd.delete('talaria/test/flags/odd name/ä');
      await becomes({ one: '1' });
    });

    it('forgets what was deleted while it did not look', async () => {
      await put('two', '2');
      await becomes({ one: '1', two: '2' });
      server.freeze();
      await eventually('etcd is unreachable', () => etcd.state.get() === 'unreachable');
      const other = connectEtcd({ endpoints: server.endpoint, log });
      server.thaw();
      await eventually('it is deleted', async () => {
        await other.delete('talaria/test/flags/two').catch(() => {});
        return (await other.get('talaria/test/flags/two').catch(() => null)) === undefined;
      });
      other.close();
      await becomes({ one: '1' });
    });

    it('keeps what a store has lost, and says so, until it is written again or deleted', async () => {
      await put('two', '2');
      await becomes({ one: '1', two: '2' });
      await server.restart({ empty: true });
      await becomes({ one: '1 (lost)', two: '2 (lost)' });
      await put('one', 'again');
      await becomes({ one: 'again', two: '2 (lost)' });
      await put('two', '');
      await etcd.delete('talaria/test/flags/two');
      await becomes({ one: 'again' });
    });
  });
}
