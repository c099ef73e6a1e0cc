#!/usr/bin/env node
import { enableCompileCache, flushCompileCache } from 'node:module';
import { parseArgs } from 'node:util';
import { type EtcdOptions, type EtcdServer } from './start.ts';

// Compiling is half of the time to serving, and a supervisor restarts this program often. What is imported before this line is
// not cached, hence the dynamic imports below.
enableCompileCache();

const HELP = `An etcd-compatible server.

  talaria-etcd --data-dir DIR [--listen HOST:PORT]
  talaria-etcd --in-memory [--listen HOST:PORT]

  --data-dir DIR       where the data is kept; made if it does not exist
  --in-memory          keep nothing
  --listen HOST:PORT   default 127.0.0.1:2379; port 0 takes a free one
  --help               this text

It prints "etcd ready on HOST:PORT" when it serves, and stops on SIGTERM and SIGINT. Started with an IPC channel it also
sends { ready: true, address: "HOST:PORT" }, and stops when the channel closes.
`;

const OPTIONS = {
  'data-dir': { type: 'string' },
  'in-memory': { type: 'boolean', default: false },
  listen: { type: 'string', default: '127.0.0.1:2379' },
  help: { type: 'boolean', default: false },
} as const;

function parse() {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    throw new Error(`${(error as Error).message} (--help lists the options.)`, { cause: error });
  }
}

function readArguments() {
  const values = parse();
  if (!values.help && !values['in-memory'] && !values['data-dir']) throw new Error('Give --data-dir DIR to keep the data, or --in-memory to keep nothing.');
  return values;
}

async function start(options: EtcdOptions): Promise<EtcdServer> {
  const [{ logVerbosity, setLogVerbosity }, { startEtcd }] = await Promise.all([import('@grpc/grpc-js'), import('./start.ts')]);
  // grpc-js prints its own line about a taken port; ours has the fix.
  setLogVerbosity(logVerbosity.NONE);
  return startEtcd(options);
}

async function main(): Promise<void> {
  const { help, listen, 'in-memory': inMemory, 'data-dir': dataDir } = readArguments();
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  const starting = start({ listen, inMemory, ...(dataDir ? { dataDir } : {}) });
  // From here on, because a supervisor may die while this starts.
  const stop = (): void => {
    starting.then((server) => server.stop()).then(
      () => process.exit(0),
      (error: Error) => {
        process.stderr.write(`${error.message}\n`);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  process.on('disconnect', stop);
  const server = await starting;
  // The reader of the ready line may have gone; that is no reason to stop.
  process.stdout.on('error', () => {});
  process.stdout.write(`etcd ready on ${server.address}\n`);
  flushCompileCache();
  if (process.connected) process.send?.({ ready: true, address: server.address });
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
