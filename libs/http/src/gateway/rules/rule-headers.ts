import { type Take } from './token-buckets.ts';

/** Headers that a rule adds to an answer; more than one rule may add to one. */
export type RuleHeaders = Readonly<Record<string, string>>;

/**
 * What a bucket leaves a principal. A draft still: https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/.
 * It counts `t` to when more may be made, and wants it to agree with `Retry-After`. Ids of rules are plain enough to stand between quotes.
 */
export function rateLimitHeaders(id: string, { rate, burst }: { readonly rate: number; readonly burst: number }, take: Take): RuleHeaders {
  return {
    'ratelimit-policy': `"${id}";q=${String(Math.floor(burst))};w=${String(Math.max(1, Math.ceil(burst / rate)))}`,
    ratelimit: `"${id}";r=${String(take.left)};t=${String(Math.ceil(take.moreMs / 1000))}`,
  };
}

/** RFC 9745 (a date of structured fields), RFC 8594 (an HTTP date), and the link relation of RFC 9745, section 3. */
export function deprecationHeaders({ since, sunset, link }: { readonly since: string; readonly sunset?: string | undefined; readonly link?: string | undefined }): RuleHeaders {
  const url = link === undefined ? null : URL.parse(link);
  return {
    deprecation: `@${String(Math.floor(Date.parse(since) / 1000))}`,
    ...(sunset === undefined ? {} : { sunset: new Date(sunset).toUTCString() }),
    ...(url ? { link: `<${url.href}>; rel="deprecation"` } : {}),
  };
}

/** All of them: lists of one name are joined, of the others the first counts. */
export function mergeHeaders(all: readonly RuleHeaders[]): RuleHeaders {
  const merged: Record<string, string> = {};
  for (const [name, value] of all.flatMap((headers) => Object.entries(headers))) {
    const before = merged[name];
    if (before === undefined) merged[name] = value;
    else if (name.startsWith('ratelimit') || name === 'link') merged[name] = `${before}, ${value}`;
  }
  return merged;
}
