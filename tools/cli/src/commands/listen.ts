import { once } from 'node:events';
import { CliError } from '../cli-error.ts';
import { printable, type Terminal } from '../terminal.ts';
import { listenForWebhooks, type ReceivedWebhook } from '../webhook-listener.ts';

/** What the user may say. */
export interface ListenOptions {
  readonly secret?: string;
  readonly json?: boolean;
}

/** `talaria listen <port>`: prints webhooks until `signal` aborts. */
export async function listen(portText: string, options: ListenOptions, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const port = Number(portText);
  if (!/^\d+$/.test(portText) || port > 65_535) throw new CliError(`"${portText}" is no port: give a number up to 65535, such as: talaria listen 9000`, 2);
  const listener = await listenForWebhooks({
    port,
    secret: options.secret,
    onWebhook: (webhook) => terminal.out(options.json ? `${JSON.stringify(webhook)}\n` : described(webhook, terminal)),
  });
  const checking = options.secret === undefined ? 'signatures are not checked, as no --secret is given' : 'signatures are checked';
  terminal.err(`Listening for webhooks on http://localhost:${listener.port}; ${checking}. Ctrl-C stops.\n`);
  if (!signal.aborted) await once(signal, 'abort');
  await listener.close();
}

function described(webhook: ReceivedWebhook, { style }: Terminal): string {
  const { id, type, body, signature, reason } = webhook;
  const verdict =
    signature === 'verified'
      ? style.good('signature verified')
      : signature === 'invalid'
        ? style.bad(`SIGNATURE DOES NOT VERIFY: ${reason ?? ''} (answered 400)`)
        : style.dim('signature not checked');
  const head = `${style.strong(printable(id ?? '(no webhook-id)'))}  ${printable(type ?? '(no type)')}  ${verdict}`;
  return `\n${head}\n${printable(JSON.stringify(body, null, 2))}\n`;
}
