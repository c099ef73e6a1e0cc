import { randomInt } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { ServeError } from './serve-error.ts';
import { readJson, writeJson } from './state-dir.ts';

const LOOPBACKS = ['127.0.0.1', '::1'] as const;
const DEFAULT_PORT = 8080;

/** Binds the port and lets it go: the error's code, or undefined if it could be bound. */
function tryBind(port: number, host: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

/** Whether somebody answers there: on some systems a port can be bound on loopback although another has it on all addresses. */
function answers(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(500, () => end(true));
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** Why the port cannot be used on loopback (both versions of IP): an error's code; undefined if it can. */
export async function portTrouble(port: number): Promise<string | undefined> {
  for (const host of LOOPBACKS) {
    const code = await tryBind(port, host);
    // A machine without IPv6 has no ::1.
    if (code !== undefined && code !== 'EADDRNOTAVAIL' && code !== 'EAFNOSUPPORT') return code;
    if (code === undefined && (await answers(port, host))) return 'EADDRINUSE';
  }
  return undefined;
}

/** The gateway's port: `PORT`, default 8080. Throws a `ServeError` if that is no port, or is taken. */
export async function gatewayPort(env: NodeJS.ProcessEnv): Promise<number> {
  const text = env['PORT'] || String(DEFAULT_PORT);
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) throw new ServeError(`PORT is "${text}", which is no port: set it to a number from 1 to 65535, such as PORT=8080.`);
  const trouble = await portTrouble(port);
  if (trouble === 'EACCES') throw new ServeError(`Port ${port} is not allowed for your user: set PORT to one above 1023, such as PORT=8080.`);
  if (trouble !== undefined) {
    const other = port === DEFAULT_PORT ? 8081 : DEFAULT_PORT;
    throw new ServeError(`Port ${port} is taken by another program: stop that, or choose another port with PORT=${other} (a second clone beside this one does so too).`);
  }
  return port;
}

/**
 * A port that is free on loopback now.
 *
 * Below those that systems give to outgoing connections: while an engine restarts, one of these, even one to that very port, could take it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768);
    if ((await tryBind(port, '127.0.0.1')) === undefined) return port;
  }
}

/** Keeps ports in the state directory, so that an engine comes back where its clients look for it. */
export interface KeptPorts {
  /** The port kept for `name`; a new one if there is none, or if somebody else has it (unless `ours` says that it is our own leftover). */
  portFor(name: string, ours?: (port: number) => boolean): Promise<number>;
}

/** The kept ports of a state directory. */
export function keptPorts(stateDir: string): KeptPorts {
  const file = join(stateDir, 'ports.json');
  const ports = readJson<Record<string, number>>(file) ?? {};
  return {
    async portFor(name, ours = () => false) {
      const kept = ports[name];
      if (kept !== undefined && (ours(kept) || (await tryBind(kept, '127.0.0.1')) === undefined)) return kept;
      const port = await freePort();
      ports[name] = port;
      writeJson(file, ports);
      return port;
    },
  };
}
