import { withPlatform } from '../platform.ts';
import type { Terminal } from '../terminal.ts';
import { unlessAborted } from '../unless-aborted.ts';

/** What the user may say. */
export interface TokenOptions {
  readonly as?: string;
  readonly secret?: string;
  readonly json?: boolean;
}

/** `talaria token`: prints the metadata that other gRPC clients have to send, one `key: value` a line. */
export async function token(options: TokenOptions, terminal: Terminal, env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<void> {
  const metadata = await withPlatform({ as: options.as, secret: options.secret, env, signal }, (platform) => unlessAborted(platform.metadata(), signal));
  if (options.json) terminal.out(`${JSON.stringify(metadata, null, 2)}\n`);
  else for (const [key, value] of Object.entries(metadata)) terminal.out(`${key}: ${value}\n`);
}
