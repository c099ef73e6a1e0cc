import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Plugin } from 'esbuild';
import protobuf from 'protobufjs';

/** What etcd3 1.1.2 does when it is imported. */
const LOADS_PROTO = 'loadSync)(`${__dirname}/../proto/rpc.proto`,';

/**
 * etcd3 reads its proto file from beside its own source when it is imported, so the parsed file becomes part of the code:
 * proto-loader's `fromJSON` takes it where `loadSync` takes a path.
 * Source: https://github.com/microsoft/etcd3/blob/v1.1.2/src/connection-pool.ts
 */
export const inlineEtcdProto: Plugin = {
  name: 'inline-etcd-proto',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]etcd3[\\/]lib[\\/]connection-pool\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      if (!source.includes(LOADS_PROTO)) return { errors: [{ text: 'etcd3 no longer loads its proto file as it did: adapt tools/bundle/src/plugins.ts' }] };
      const root = new protobuf.Root().loadSync(join(dirname(path), '../proto/rpc.proto'), { keepCase: true }).resolveAll();
      return { contents: source.replace(LOADS_PROTO, () => `fromJSON)(${JSON.stringify(root.toJSON())},`), loader: 'js' };
    });
  },
};

/**
 * protobufjs looks for `long` in a way that bundlers do not see, and without it rounds 64-bit integers, silently.
 * Source: https://github.com/protobufjs/protobuf.js/blob/master/lib/inquire/index.js
 */
export const foundByName: Plugin = {
  name: 'found-by-name',
  setup({ onLoad }) {
    const contents = "module.exports = (name) => ({ long: () => require('long'), buffer: () => require('node:buffer'), fs: () => require('node:fs') })[name]?.() ?? null;";
    onLoad({ filter: /[\\/]@protobufjs[\\/]inquire[\\/]index\.js$/ }, () => ({ contents, loader: 'js' }));
  },
};

/**
 * zod's `z` holds its messages in fifty languages (300 KB), of which it uses English unless told otherwise. What imports
 * `zod/locales` itself still gets all of them.
 * Source: https://github.com/colinhacks/zod/blob/main/packages/zod/src/v4/classic/external.ts
 */
export const zodInEnglish: Plugin = {
  name: 'zod-in-english',
  setup({ onLoad, onResolve }) {
    onResolve({ filter: /locales\/index\.js$/ }, ({ importer, resolveDir }) =>
      /[\\/]zod[\\/]v4[\\/](classic|core|mini)[\\/]\w+\.js$/.test(importer) ? { path: join(resolveDir, '../locales/en.js'), namespace: 'zod-in-english', sideEffects: false } : undefined,
    );
    onLoad({ filter: /.*/, namespace: 'zod-in-english' }, ({ path }) => ({ contents: `export { default as en } from ${JSON.stringify(path)};`, resolveDir: dirname(path), loader: 'js' }));
  },
};
