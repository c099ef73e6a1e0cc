/**
 * The endpoints of `ETCD_ENDPOINTS`, or of a list, as `http://host:port`. Throws for what is no endpoint, and for a mix of
 * http and https, which etcd3 cannot do.
 */
export function parseEndpoints(endpoints: string | readonly string[]): readonly string[] {
  const given = (typeof endpoints === 'string' ? endpoints.split(',') : endpoints).map((each) => each.trim()).filter((each) => each !== '');
  if (given.length === 0) throw new Error('No etcd endpoint given. Set ETCD_ENDPOINTS to one or more, such as http://127.0.0.1:2379.');
  const parsed = given.map(parseEndpoint);
  if (new Set(parsed.map((each) => each.protocol)).size > 1) {
    throw new Error(`The etcd endpoints ${given.join(', ')} mix http and https: use one of them for all.`);
  }
  return parsed.map((url, at) => `${url.protocol}//${url.hostname}:${url.port || /:(\d+)\/?$/.exec(given[at] ?? '')?.[1] || DEFAULT_PORT}`);
}

/** etcd's own; what URLs take for the default of http or https must be said. */
const DEFAULT_PORT = '2379';

function parseEndpoint(endpoint: string): URL {
  const withScheme = /^[a-z]+:\/\//i.test(endpoint) ? endpoint : `http://${endpoint}`;
  const url = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (!url || !['http:', 'https:'].includes(url.protocol) || url.hostname === '' || url.pathname !== '/' || url.username !== '' || url.search !== '') {
    throw new Error(`"${endpoint}" is no etcd endpoint: expected http://host:port or https://host:port.`);
  }
  return url;
}
