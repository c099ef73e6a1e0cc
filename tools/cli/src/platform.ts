import { connectPlatform, type ConnectPlatformOptions, type PlatformClient } from '@talaria/service';

/** Runs `use` with a connection to the platform, and closes it. Rejects at once when `signal` aborts while connecting. */
export async function withPlatform<T>(options: ConnectPlatformOptions & { readonly signal?: AbortSignal }, use: (platform: PlatformClient) => Promise<T>): Promise<T> {
  const { signal, ...connect } = options;
  const connecting = connectPlatform(connect);
  const platform = await (signal ? unlessAborted(connecting, signal) : connecting);
  try {
    return await use(platform);
  } finally {
    await platform.close();
  }
}

/** Settles as `work` does, unless the signal aborts first: then it rejects with the signal's reason. */
export function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
