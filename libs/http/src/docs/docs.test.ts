import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { after, before, describe, it } from 'node:test';
import { type Library, startLibrary } from '../testing/library.ts';

const VIEWER = 'globalThis.SwaggerUIBundle = () => {};';

describe('/openapi.json', () => {
  let library: Library;
  before(async () => {
    library = await startLibrary();
  });
  after(() => library.close());

  it('is cached by what is published, and changes with it', async () => {
    const first = await library.fetch('/openapi.json');
    const etag = first.headers.get('etag') ?? '';
    assert.deepEqual([first.status, first.headers.get('content-type'), first.headers.get('cache-control')], [200, 'application/json', 'no-cache']);
    assert.match(etag, /^"[\w-]{20,}"$/);
    const paths = Object.keys(((await first.json()) as { paths: object }).paths);
    assert.ok(paths.includes('/shelves/{shelf.id}') && paths.includes('/openapi.json'));
    for (const given of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await library.fetch('/openapi.json', { headers: { 'if-none-match': given } });
      assert.deepEqual([again.status, again.headers.get('etag'), await again.text()], [304, etag, '']);
    }
    const head = await library.fetch('/openapi.json', { method: 'HEAD' });
    assert.deepEqual([head.status, head.headers.get('etag'), await head.text()], [200, etag, '']);
    assert.ok(Number(head.headers.get('content-length')) > 1000);

    const known = library.contracts.get();
    library.contracts.set([]);
    const changed = await library.fetch('/openapi.json', { headers: { 'if-none-match': etag } });
    assert.equal(changed.status, 200);
    assert.ok(!Object.keys(((await changed.json()) as { paths: object }).paths).includes('/shelves/{shelf.id}'));
    library.contracts.set(known);
    assert.equal((await library.fetch('/openapi.json')).headers.get('etag'), etag);
  });

  it('takes GET and HEAD, and is there without a viewer', async () => {
    const posted = await library.fetch('/openapi.json', { method: 'POST', body: '{}' });
    assert.deepEqual([posted.status, posted.headers.get('allow')], [405, 'GET, HEAD']);
    const page = await library.fetch('/docs');
    assert.equal(page.status, 404);
    assert.match(((await page.json()) as { detail: string }).detail, /without a viewer: \/openapi\.json/);
  });

  it('is 503 until the contracts are known', async () => {
    const ready = Promise.withResolvers<void>();
    const waiting = await startLibrary({ contracts: { get: () => [], onChange: () => () => {}, ready: ready.promise } });
    assert.equal((await waiting.fetch('/openapi.json')).status, 503);
    ready.resolve();
    await ready.promise;
    assert.equal((await waiting.fetch('/openapi.json')).status, 200);
    await waiting.close();
  });

  it('can be turned off, with the page', async () => {
    const silent = await startLibrary({ docs: false });
    for (const path of ['/openapi.json', '/docs', '/docs/x.js']) {
      const answered = await silent.fetch(path);
      assert.deepEqual([answered.status, answered.headers.get('content-type')], [404, 'application/problem+json']);
    }
    await silent.close();
  });
});

describe('/docs', () => {
  let folder: string;
  let library: Library;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'talaria-docs-'));
    await writeFile(join(folder, 'swagger-ui-bundle.js'), VIEWER);
    await writeFile(join(folder, 'swagger-ui.css'), 'body {}');
    await writeFile(join(folder, 'secret.js'), 'secret');
    const file = (name: string): URL => pathToFileURL(join(folder, name));
    library = await startLibrary({ docs: { viewer: { script: file('swagger-ui-bundle.js'), style: file('swagger-ui.css') } } });
  });
  after(async () => {
    await library.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is a page that may reach this gateway only, and runs nothing that stands in it', async () => {
    const page = await library.fetch('/docs');
    const html = await page.text();
    assert.deepEqual([page.status, page.headers.get('content-type'), page.headers.get('cache-control')], [200, 'text/html; charset=utf-8', 'no-cache']);
    const policy = page.headers.get('content-security-policy') ?? '';
    assert.match(policy, /default-src 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.doesNotMatch(html, /<script(?! src="docs\/)|https?:|\son\w+=/);
    const head = await library.fetch('/docs', { method: 'HEAD' });
    assert.deepEqual([head.status, await head.text(), head.headers.get('content-length')], [200, '', String(Buffer.byteLength(html))]);
    assert.equal((await library.fetch('/docs', { headers: { 'if-none-match': page.headers.get('etag') ?? '' } })).status, 304);
    const below = await library.fetch('/docs/', { redirect: 'manual' });
    assert.deepEqual([below.status, below.headers.get('location')], [308, '../docs']);
    assert.equal((await library.fetch('/docs', { method: 'DELETE' })).status, 405);
  });

  it('has all the files that it names, for ever, each with its type', async () => {
    const html = await (await library.fetch('/docs')).text();
    const names = [...html.matchAll(/(?:src|href)="(docs\/[^"]+)"/g)].map(([, name]) => name);
    assert.equal(names.length, 4);
    for (const name of names) {
      const file = await library.fetch(`/${name ?? ''}`);
      const body = await file.text();
      assert.deepEqual([file.status, file.headers.get('content-type')], [200, `text/${name?.endsWith('.js') ? 'javascript' : 'css'}; charset=utf-8`], name);
      assert.deepEqual([file.headers.get('cache-control'), file.headers.get('x-content-type-options'), file.headers.get('content-length')], ['public, max-age=31536000, immutable', 'nosniff', String(Buffer.byteLength(body))]);
      const head = await library.fetch(`/${name ?? ''}`, { method: 'HEAD' });
      assert.deepEqual([head.status, await head.text(), head.headers.get('content-length')], [200, '', String(Buffer.byteLength(body))]);
      assert.equal((await library.fetch(`/${name ?? ''}`, { headers: { 'if-none-match': file.headers.get('etag') ?? '' } })).status, 304);
    }
    const viewer = names.find((name) => /swagger-ui\.\w+\.js/.test(name ?? '')) ?? '';
    assert.equal(await (await library.fetch(`/${viewer}`)).text(), VIEWER);
  });

  it('leads to nothing else', async () => {
    const paths = ['/docs/secret.js', '/docs/../secret.js', '/docs/%2e%2e/secret.js', '/docs/..%2fsecret.js', '/docs//etc/passwd', '/docs/swagger-ui-bundle.js', '/docs/constructor', '/docs/__proto__', '/docs/%00', '/docs/\\..\\secret.js'];
    for (const path of paths) {
      const socket = connect(library.port, '127.0.0.1');
      await once(socket, 'connect');
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
      const answered = await text(socket);
      assert.match(answered, /^HTTP\/1\.1 404 [\s\S]*not_found\.route/, path);
    }
  });

  it('says so when its files are gone, and finds them when they are back', async () => {
    const [script, style] = ['late.js', 'late.css'].map((name) => join(folder, name)) as [string, string];
    const late = await startLibrary({ docs: { viewer: { script: pathToFileURL(script), style: pathToFileURL(style) } } });
    assert.equal((await late.fetch('/docs')).status, 404);
    assert.ok(late.log.lines.some((line) => line.includes('TALARIA_DOCS=false')));
    await Promise.all([writeFile(script, VIEWER), writeFile(style, 'body {}')]);
    assert.equal((await late.fetch('/docs')).status, 200);
    await late.close();
  });
});
