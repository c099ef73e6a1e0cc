/** The scopes of a space-separated list (RFC 6749, section 3.3), each once. */
export function parseScopes(list: string): readonly string[] {
  return [...new Set(list.split(' ').filter((scope) => scope !== ''))];
}
