// One instance of a service, which says when it has applied a change: by the monotonic clock, which all processes of a machine share.
import { silentLogger as log } from '@talaria/base';
import { etcdConfigSource, openConfig, setting } from '@talaria/config';
import { connectEtcd } from '@talaria/etcd';
import { z } from 'zod';

const [endpoint = '', instance = ''] = process.argv.slice(2);
const etcd = connectEtcd({ endpoints: endpoint, log });
const config = openConfig({ service: 'service.bench', version: '1', instance, env: {}, log, source: etcdConfigSource({ etcd, log }) });
const values = config.declare({
  'bench.number': setting(z.number().int().default(0), { description: 'the number of the change' }),
  'bench.again': setting(z.number().int().default(0), { description: 'the same' }),
  'bench.hosts': setting(z.array(z.string()).default([]), { description: 'a list' }),
});
values['bench.number'].onChange((number) => {
  const at = process.hrtime.bigint();
  process.send?.({ number, at: String(at), whole: values['bench.again'].get() === number });
});
process.on('disconnect', () => process.exit());
await config.start();
process.send?.({ ready: true });
