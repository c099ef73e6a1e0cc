/** `host:port` of an address such as `h2c://host:port`; undefined if it is malformed. IPv6 hosts stand in brackets. */
export function targetOf(address: string, scheme: string): string | undefined {
  if (!address.startsWith(`${scheme}://`)) return undefined;
  const rest = address.slice(scheme.length + 3);
  const match = /^(\[[0-9a-fA-F:.]+\]|[^:/[\]\s]+):(\d{1,5})$/.exec(rest);
  return match && Number(match[2]) <= 65535 ? rest : undefined;
}
