#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { createLogger } from '@talaria/base';
import { startPostgres } from './server.ts';
import { UserError } from './user-error.ts';

/** A supervisor gives everything ten seconds. */
const STOP_WITHIN_MS = 8_000;

const HELP = `Starts PostgreSQL on 127.0.0.1 and stays until it is told to stop.

  talaria-postgres --data-dir DIR [--port N]

  --data-dir DIR   a folder for this server alone; made the first time
  --port N         default 0: the port used last if it is free, else any free one
  --help           this

The user is postgres; the password is in DIR/password. A server that runs on DIR already is adopted.
SIGTERM and SIGINT stop it, and so does the end of a parent that is connected by IPC, which gets { ready: true, url }.`;

function readArguments(): { dataDir: string; port: number } | undefined {
  const options = { 'data-dir': { type: 'string' }, port: { type: 'string', default: '0' }, help: { type: 'boolean', default: false } } as const;
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    throw new UserError(`${(error as Error).message} (--help says what there is)`);
  }
  if (values.help) return undefined;
  const dataDir = values['data-dir'];
  const port = Number(values.port);
  if (!dataDir) throw new UserError('--data-dir is missing: name a folder for the data of PostgreSQL.');
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new UserError(`--port ${values.port} is not a port: give a number from 0 to 65535.`);
  return { dataDir, port };
}

async function main(): Promise<number> {
  const wanted = readArguments();
  if (!wanted) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  let stopping = false;
  const told = new Promise<void>((resolve) => {
    const stop = (): void => {
      stopping = true;
      resolve();
    };
    process.on('SIGTERM', stop);
    process.on('SIGINT', stop);
    // Ctrl-C in a terminal that closes.
    process.on('SIGHUP', stop);
    process.on('disconnect', stop);
  });
  // A start after a crash can take long; whoever stops it does not wait for that.
  void told.then(() => setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref());
  const server = await startPostgres({ ...wanted, log: createLogger({ fields: { service: 'postgres' } }) });
  // The parent may have gone while it started.
  if (process.channel === null || (process.send && !process.connected)) stopping = true;
  if (!stopping) {
    process.send?.({ ready: true, url: server.url });
    process.stdout.write(`postgres is ready on 127.0.0.1:${server.port} (pid ${server.pid}, data in ${wanted.dataDir})\n`);
    await Promise.race([told, server.ended]);
  }
  if (stopping) {
    await server.stop();
    return 0;
  }
  process.stderr.write('postgres ended by itself\n');
  return 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(error instanceof UserError ? `${error.message}\n` : `${String((error as Error).stack ?? error)}\n`);
    process.exit(1);
  },
);
