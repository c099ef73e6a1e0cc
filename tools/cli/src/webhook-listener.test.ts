import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, describe, it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { CliError } from './cli-error.ts';
import { listenForWebhooks, type ReceivedWebhook } from './webhook-listener.ts';

const SECRET = `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`;
const BODY = '{"type":"transaction.created","data":{"id":"tx_1"}}';

function signed(body: string, secret = SECRET, at = new Date()): Record<string, string> {
  return { 'webhook-id': 'msg_1', 'webhook-timestamp': String(Math.floor(at.getTime() / 1000)), 'webhook-signature': new Webhook(secret).sign('msg_1', at, body) };
}

describe('listenForWebhooks', () => {
  it('tells verified webhooks from forged ones, on both versions of IP', async () => {
    const received: ReceivedWebhook[] = [];
    const listener = await listenForWebhooks({ port: 0, secret: SECRET, onWebhook: (webhook) => received.push(webhook) });
    const post = async (headers: Record<string, string>, body = BODY, host = '127.0.0.1'): Promise<number> => (await fetch(`http://${host}:${listener.port}/hooks`, { method: 'POST', headers, body })).status;
    const last = (): Partial<ReceivedWebhook> => received.at(-1) ?? {};

    assert.equal((await fetch(`http://127.0.0.1:${listener.port}`)).status, 200);
    assert.equal(received.length, 0);
    assert.equal(await post(signed(BODY)), 200);
    assert.deepEqual(last(), { id: 'msg_1', type: 'transaction.created', body: JSON.parse(BODY) as unknown, signature: 'verified', reason: undefined });
    assert.equal(await post(signed(BODY), BODY.replace('tx_1', 'tx_2')), 400);
    assert.match(last().reason ?? '', /another secret, or the body was changed/);
    assert.equal(await post(signed(BODY, `whsec_${Buffer.from('another secret!!another secret!!').toString('base64')}`)), 400);
    assert.equal(await post(signed(BODY, SECRET, new Date(Date.now() - 600_000))), 400);
    assert.match(last().reason ?? '', /five minutes/);
    assert.equal(await post({ 'webhook-id': 'msg_1' }), 400);
    assert.match(last().reason ?? '', /webhook-timestamp and webhook-signature is missing/);
    assert.equal(await post(signed('no json'), 'no json'), 200);
    assert.equal(last().body, 'no json');
    assert.equal(await post(signed(BODY), 'x'.repeat(2 ** 20 + 1)), 413);
    try {
      assert.equal(await post(signed(BODY), BODY, '[::1]'), 200);
    } catch (error) {
      // Only a machine without IPv6 may refuse.
      assert.match(String((error as Error).cause), /EADDRNOTAVAIL|EAFNOSUPPORT/);
    }
    await listener.close();
    await assert.rejects(fetch(`http://127.0.0.1:${listener.port}`));
  });

  it('checks nothing without a secret', async () => {
    const received: ReceivedWebhook[] = [];
    const listener = await listenForWebhooks({ port: 0, onWebhook: (webhook) => received.push(webhook) });
    assert.equal((await fetch(`http://127.0.0.1:${listener.port}`, { method: 'POST', body: BODY })).status, 200);
    assert.equal(received[0]?.signature, 'unchecked');
    await listener.close();
  });

  it('says what to do about a busy port and a wrong secret', async () => {
    const server = createServer();
    after(() => server.close());
    const port = await new Promise<number>((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)));
    await assert.rejects(listenForWebhooks({ port, onWebhook: () => {} }), (error: Error) => error instanceof CliError && error.message.startsWith(`Port ${port} is taken`));
    for (const secret of ['', 'null', 'whsec_', 'whsec_!!']) await assert.rejects(listenForWebhooks({ port: 0, secret, onWebhook: () => {} }), /POST \/webhooks answered/);
  });
});
