import { CliError } from './cli-error.ts';

/** How long etcd may take to answer a person. */
const ETCD_LIMIT_MS = 5000;

/** Waits for something that etcd must answer within `limitMs` (default 5,000); fails with what to do if it does not. */
export async function fromEtcd<T>(endpoints: string, work: Promise<T>, limitMs = ETCD_LIMIT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } catch (error) {
    if (error instanceof CliError) throw error;
    const [reason] = (error as Error).message.split('\n');
    throw new CliError(`etcd at ${endpoints} cannot be asked (${reason ?? ''}): is it running, and is ETCD_ENDPOINTS right?`);
  } finally {
    clearTimeout(timer);
  }
}
