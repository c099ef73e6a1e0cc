import { CliError } from './cli-error.ts';
import { unlessAborted } from './unless-aborted.ts';

/** How long etcd may take to answer a person. */
const ETCD_LIMIT_MS = 5000;

/** An etcd with authentication: what our client says of the login is a sentence already; this is about rights. */
const LOGIN = /^etcd (?:does not answer nobody|refuses the login|needs both)/;
const DENIED = 'etcd does not let you do that: log in as an operator, with ETCD_USERNAME and ETCD_PASSWORD ("talaria etcd status" says as whom you do now).';

/** For one request, in ms: on a busy machine the first takes seconds. Where no etcd is, it fails at once. */
export const ETCD_REQUEST_MS = 10_000;

/** How long to wait for etcd. */
export interface EtcdLimits {
  /** Aborts when the user wants to stop: that rejects with its reason. */
  readonly signal: AbortSignal;
  /** Default 5,000. */
  readonly limitMs?: number;
}

/** Waits for something that etcd must answer within limits; fails with what to do if it does not. */
export async function fromEtcd<T>(endpoints: string, work: Promise<T>, { signal, limitMs = ETCD_LIMIT_MS }: EtcdLimits): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await unlessAborted(Promise.race([work, limit]), signal);
  } catch (error) {
    if (error instanceof CliError || signal.aborted) throw error;
    const [reason] = (error as Error).message.split('\n');
    if (reason !== undefined && LOGIN.test(reason)) throw new CliError(reason);
    if (reason?.includes('permission denied')) throw new CliError(DENIED);
    throw new CliError(`etcd at ${endpoints} cannot be asked (${reason ?? ''}): is it running, and is ETCD_ENDPOINTS right?`);
  } finally {
    clearTimeout(timer);
  }
}
