import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import protobuf from 'protobufjs';

/** CommonJS packages inside an ES module still call `require` for what is built in. */
const BANNER = `import { createRequire as __createRequire } from 'node:module'; import { fileURLToPath as __fileURLToPath } from 'node:url'; import { dirname as __dirnameOf } from 'node:path';
const require = __createRequire(import.meta.url); const __filename = __fileURLToPath(import.meta.url); const __dirname = __dirnameOf(__filename);`;

/** Optional parts of packages, which they ask for in vain if they are not installed: pg's native client. */
const EXTERNAL = ['pg-native'];

/** What etcd3 1.1.2 does when it is imported. */
const LOADS_PROTO = 'loadSync)(`${__dirname}/../proto/rpc.proto`,';

/**
 * etcd3 reads its proto file from beside its own source when it is imported, so the parsed file becomes part of the code:
 * proto-loader's `fromJSON` takes it where `loadSync` takes a path.
 * Source: https://github.com/microsoft/etcd3/blob/v1.1.2/src/connection-pool.ts
 */
const inlineEtcdProto: Plugin = {
  name: 'inline-etcd-proto',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]etcd3[\\/]lib[\\/]connection-pool\.js$/ }, ({ path }) => {
      const source = readFileSync(path, 'utf8');
      if (!source.includes(LOADS_PROTO)) return { errors: [{ text: 'etcd3 no longer loads its proto file as it did: adapt tools/bundle/src/bundle.ts' }] };
      const root = new protobuf.Root().loadSync(join(dirname(path), '../proto/rpc.proto'), { keepCase: true }).resolveAll();
      return { contents: source.replace(LOADS_PROTO, () => `fromJSON)(${JSON.stringify(root.toJSON())},`), loader: 'js' };
    });
  },
};

/**
 * protobufjs looks for `long` in a way that bundlers do not see, and without it rounds 64-bit integers, silently.
 * Source: https://github.com/protobufjs/protobuf.js/blob/master/lib/inquire/index.js
 */
const foundByName: Plugin = {
  name: 'found-by-name',
  setup({ onLoad }) {
    const contents = "module.exports = (name) => ({ long: () => require('long'), buffer: () => require('node:buffer'), fs: () => require('node:fs') })[name]?.() ?? null;";
    onLoad({ filter: /[\\/]@protobufjs[\\/]inquire[\\/]index\.js$/ }, () => ({ contents, loader: 'js' }));
  },
};

/** Bundles `folder`/src/main.ts into `folder`/dist/main.js, with a source map beside it. */
export async function bundle(folder: string): Promise<void> {
  await build({
    entryPoints: [join(folder, 'src/main.ts')],
    outfile: join(folder, 'dist/main.js'),
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: 'linked',
    banner: { js: BANNER },
    external: EXTERNAL,
    plugins: [inlineEtcdProto, foundByName],
    logLevel: 'warning',
  });
}
