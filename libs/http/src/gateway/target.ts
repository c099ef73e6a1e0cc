/** The target's path and query; `http://host/path` is as good as `/path` (RFC 9112, section 3.2.2). */
export function splitTarget(target: string): readonly [path: string, query: string] {
  const origin = /^https?:\/\/[^/?]*/i.exec(target)?.[0] ?? '';
  const rest = target.slice(origin.length).replace(/#.*$/s, '');
  const mark = rest.indexOf('?');
  const path = mark < 0 ? rest : rest.slice(0, mark);
  return [path === '' ? '/' : path, mark < 0 ? '' : rest.slice(mark + 1)];
}
