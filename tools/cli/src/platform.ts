import { connectPlatform, type ConnectPlatformOptions, type PlatformClient } from '@talaria/service';
import { unlessAborted } from './unless-aborted.ts';

/** Runs `use` with a connection to the platform, and closes it. Rejects at once when `signal` aborts while connecting; what connects after that is closed, too. */
export async function withPlatform<T>(options: ConnectPlatformOptions & { readonly signal: AbortSignal }, use: (platform: PlatformClient) => Promise<T>, connect = connectPlatform): Promise<T> {
  const { signal, ...where } = options;
  const connecting = connect(where);
  const platform = await unlessAborted(connecting, signal).catch((error: unknown) => {
    void connecting.then((late) => late.close()).catch(() => {});
    throw error;
  });
  try {
    return await use(platform);
  } finally {
    await platform.close();
  }
}
