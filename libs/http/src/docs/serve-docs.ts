import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { type Logger } from '@talaria/base';
import { answer } from '../gateway/answer.ts';
import { answerCached, isFresh } from '../gateway/cached.ts';
import { PAGE_SCRIPT, PAGE_STYLE, pageHtml } from './page.ts';

/** The files of Swagger UI. They are read when the page is asked for, never kept in memory. */
export interface DocsViewer {
  /** `swagger-ui-bundle.js`. */
  readonly script: URL;
  /** `swagger-ui.css`. */
  readonly style: URL;
}

/** Nothing but this gateway: no network of others, no inline code, no frame around it. Swagger UI's icons are data: URLs. */
const POLICY = ["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'", "connect-src 'self'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"].join('; ');
const PAGE_HEADERS = { 'content-security-policy': POLICY, 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY', 'cross-origin-opener-policy': 'same-origin' };
/** The name of a file changes with its content. */
const FOREVER = 'public, max-age=31536000, immutable';

type Content = { readonly text: string } | { readonly file: URL };
interface Asset {
  readonly name: string;
  readonly type: string;
  readonly etag: string;
  readonly content: Content;
}

async function assetOf(stem: string, extension: 'js' | 'css', content: Content): Promise<Asset> {
  const hash = createHash('sha256').update('text' in content ? content.text : await readFile(content.file)).digest('hex').slice(0, 16);
  return { name: `${stem}.${hash}.${extension}`, type: extension === 'js' ? 'text/javascript; charset=utf-8' : 'text/css; charset=utf-8', etag: `"${hash}"`, content };
}

interface Page {
  readonly html: string;
  readonly etag: string;
  /** By path. */
  readonly assets: ReadonlyMap<string, Asset>;
}

async function readPage(viewer: DocsViewer): Promise<Page> {
  const [viewerScript, viewerStyle, script, style] = await Promise.all([
    assetOf('swagger-ui', 'js', { file: viewer.script }),
    assetOf('swagger-ui', 'css', { file: viewer.style }),
    assetOf('page', 'js', { text: PAGE_SCRIPT }),
    assetOf('page', 'css', { text: PAGE_STYLE }),
  ]);
  const html = pageHtml({ viewerScript: viewerScript.name, viewerStyle: viewerStyle.name, script: script.name, style: style.name });
  return {
    html,
    etag: `"${createHash('sha256').update(html).digest('hex').slice(0, 16)}"`,
    assets: new Map([viewerScript, viewerStyle, script, style].map((asset) => [`/docs/${asset.name}`, asset])),
  };
}

async function answerFile(req: IncomingMessage, res: ServerResponse, asset: Asset, file: URL): Promise<void> {
  const headers = { etag: asset.etag, 'cache-control': FOREVER, 'x-content-type-options': 'nosniff' };
  if (isFresh(req, asset.etag)) {
    res.writeHead(304, headers).end();
    return;
  }
  const { size } = await stat(file);
  res.writeHead(200, { ...headers, 'content-type': asset.type, 'content-length': String(size) });
  if (req.method === 'HEAD') res.end();
  else await pipeline(createReadStream(file), res).catch(() => res.destroy());
}

/**
 * Makes the function that answers `/docs` and what lies below; it resolves with false for what is not there. Only names from
 * a list are served, so no path leads out of it.
 */
export function serveDocs(viewer: DocsViewer, log: Logger): (path: string, req: IncomingMessage, res: ServerResponse) => Promise<boolean> {
  let page: Promise<Page> | undefined;
  const load = (): Promise<Page> => {
    page ??= readPage(viewer).catch((err: unknown) => {
      page = undefined;
      log.error('the files of the documentation cannot be read: install again, or set TALARIA_DOCS=false', { err });
      throw err;
    });
    return page;
  };

  return async (path, req, res) => {
    if (path === '/docs/') {
      answer(res, 308, { location: '../docs' }, '');
      return true;
    }
    const found = await load().catch(() => undefined);
    if (!found) return false;
    if (path === '/docs') {
      answerCached(req, res, { type: 'text/html; charset=utf-8', etag: found.etag, cacheControl: 'no-cache', headers: PAGE_HEADERS }, found.html);
      return true;
    }
    const asset = found.assets.get(path);
    if (!asset) return false;
    const { content } = asset;
    if ('file' in content) await answerFile(req, res, asset, content.file);
    else answerCached(req, res, { type: asset.type, etag: asset.etag, cacheControl: FOREVER }, content.text);
    return true;
  };
}
