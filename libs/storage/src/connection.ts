import { connect, type Socket } from 'node:net';
import { type Pool, type PoolClient, type QueryResult } from 'pg';
import { currentCall, detached, runInCall } from '@talaria/context';
import { type ServiceError } from '@talaria/errors';
import { onEnd, refuseIfOver } from './call-end.ts';
import { isQueryCanceled, isTransient, toCallerError } from './database-error.ts';
import { spanFor } from './span.ts';

/** How long a server may take to confirm that it cancelled, in ms, before its connection is given up. */
const GRACE_MS = 1000;
/** CancelRequest. Source: postgresql.org/docs/15/protocol-message-formats.html */
const CANCEL_REQUEST_CODE = 80877102;

/** What `pg` keeps and its types leave out. `Client.cancel` uses the same, but needs a second client. */
interface Internals {
  readonly host: string;
  readonly port: number;
  readonly processID: number;
  readonly secretKey: number;
  readonly connection: { readonly stream: Socket };
}

const internalsOf = (client: PoolClient): Internals => client as unknown as Internals;

/** The server's process for a connection. */
export const backendOf = (client: PoolClient): number => internalsOf(client).processID;

/** Connections that must not be used again. */
const discarded = new WeakSet<PoolClient>();

/** Gives a connection back, or closes it if it cannot be trusted any more. */
export function release(client: PoolClient): void {
  client.release(discarded.has(client));
}

/** Marks a connection so that `release` closes it. */
export function discard(client: PoolClient): void {
  discarded.add(client);
}

/** Breaks a connection now; what runs on it fails. */
export function destroy(client: PoolClient): void {
  discard(client);
  internalsOf(client).connection.stream.destroy();
}

/** A connection for the current call, which may end while it waits. */
export async function acquire(pool: Pool): Promise<PoolClient> {
  const call = currentCall();
  refuseIfOver(call);
  // Detached: a connection outlives the call that happens to open it.
  const pending = detached(() => pool.connect());
  return new Promise((resolve, reject) => {
    let over = false;
    const stopWatching = onEnd(call, (error) => {
      over = true;
      reject(error);
    });
    pending.then(
      (client) => {
        stopWatching();
        if (over) release(client);
        else resolve(client);
      },
      (error: unknown) => {
        stopWatching();
        reject(toCallerError(error) as Error);
      },
    );
  });
}

/** Asks the server to cancel what runs on the connection, over one of its own. Resolves when the server has taken note. */
function cancelOnServer(client: PoolClient): Promise<void> {
  const { host, port, processID, secretKey } = internalsOf(client);
  const message = Buffer.alloc(16);
  message.writeInt32BE(16, 0);
  message.writeInt32BE(CANCEL_REQUEST_CODE, 4);
  message.writeInt32BE(processID, 8);
  message.writeInt32BE(secretKey, 12);
  return new Promise((resolve) => {
    const socket = host.startsWith('/') ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    socket.setTimeout(GRACE_MS, () => socket.destroy());
    socket.on('error', () => {});
    // The server closes when the signal to its backend is sent.
    socket.on('close', () => resolve());
    socket.on('connect', () => socket.end(message));
    socket.resume();
  });
}

/**
 * Runs a query on a connection, for the current call. If the call ends meanwhile, the query is cancelled on the server
 * (`cancel`), or only waited for within limits, as for a commit, whose outcome counts (`finish`).
 */
export async function runQuery(client: PoolClient, text: string, values: readonly unknown[] = [], onCallEnd: 'cancel' | 'finish' = 'cancel'): Promise<QueryResult<Record<string, unknown>>> {
  const call = currentCall();
  if (onCallEnd === 'cancel') refuseIfOver(call);
  let over: ServiceError | undefined;
  let cancelling: Promise<void> | undefined;
  let grace: NodeJS.Timeout | undefined;
  let stopped = false;
  const stopWatching = onEnd(call, (error) => {
    over = error;
    if (onCallEnd === 'cancel') cancelling = detached(() => cancelOnServer(client));
    grace = setTimeout(() => destroy(client), GRACE_MS);
  });
  const span = spanFor(text);
  try {
    const result = await client.query<Record<string, unknown>>(text, values as unknown[]);
    // It was quicker; the cancellation may hit whatever runs next.
    if (cancelling) discard(client);
    return result;
  } catch (error) {
    stopped = isQueryCanceled(error);
    if (cancelling && !stopped) discard(client);
    if (isTransient(error)) discard(client);
    const shown = over && (stopped || isTransient(error)) ? over : toCallerError(error);
    span?.fail(shown);
    throw shown;
  } finally {
    stopWatching();
    clearTimeout(grace);
    if (cancelling) await cancelling;
    span?.end();
  }
}

/** Undoes what the transaction of a connection did, even for a call that is over. A connection that cannot is closed. */
export async function rollBack(client: PoolClient): Promise<void> {
  if (discarded.has(client)) return;
  try {
    await detached(() => runInCall({ deadline: performance.now() + GRACE_MS }, () => runQuery(client, 'rollback', [], 'finish')));
  } catch {
    discard(client);
  }
}
