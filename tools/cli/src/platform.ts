import { connectPlatform, type ConnectPlatformOptions, type PlatformClient } from '@talaria/service';
import { CliError } from './cli-error.ts';

/** How long etcd may take to answer a person. */
const ETCD_LIMIT_MS = 5000;

/** Runs `use` with a connection to the platform, and closes it. */
export async function withPlatform<T>(options: ConnectPlatformOptions, use: (platform: PlatformClient) => Promise<T>): Promise<T> {
  const platform = await connectPlatform(options);
  try {
    return await use(platform);
  } finally {
    await platform.close();
  }
}

/** Waits for something that etcd must answer; fails with what to do if it does not. */
export async function fromEtcd<T>(endpoints: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ETCD_LIMIT_MS / 1000} s`)), ETCD_LIMIT_MS);
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
