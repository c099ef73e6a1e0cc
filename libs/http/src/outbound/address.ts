import ipaddr from 'ipaddr.js';

/** What may be reached. */
export interface AddressPolicy {
  /** Whether loopback addresses count as allowed, besides public ones. */
  readonly allowLoopback: boolean;
  /** Whether private networks do: 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 (RFC 1918) and fc00::/7 (RFC 4193). Default false. */
  readonly allowPrivate?: boolean;
}

const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');
/** RFC 6052's well-known prefix: networks with DNS64 reach every IPv4 host through it. */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/** Where clouds answer with their secrets, in the middle of private space: AWS's metadata service over IPv6. */
const CLOUD_METADATA = ipaddr.IPv6.parseCIDR('fd00:ec2::/32');

type AddressKind = 'public' | 'private' | 'loopback' | 'forbidden';

function kindOf(address: ipaddr.IPv4 | ipaddr.IPv6): AddressKind {
  const range = address.range();
  if (range === 'loopback') return 'loopback';
  if (range === 'private') return 'private';
  if (address.kind() === 'ipv4') return range === 'unicast' ? 'public' : 'forbidden';
  const v6 = address as ipaddr.IPv6;
  // A mapped address is the IPv4 address, for every kernel.
  if (v6.isIPv4MappedAddress()) return kindOf(v6.toIPv4Address());
  if (v6.match(NAT64)) {
    const embedded = kindOf(ipaddr.fromByteArray(v6.toByteArray().slice(12)));
    return embedded === 'public' ? 'public' : 'forbidden';
  }
  if (range === 'uniqueLocal') return v6.match(CLOUD_METADATA) ? 'forbidden' : 'private';
  // Whatever else is not global unicast (6to4, Teredo, documentation …) is refused, also what is assigned later.
  return range === 'unicast' && v6.match(GLOBAL_UNICAST) ? 'public' : 'forbidden';
}

/** Whether an IP address (not a name) may be reached: public ones, and loopback and private ones where the policy opens them. Link-local ones, where clouds answer with their secrets, never. */
export function isAllowedAddress(address: string, policy: AddressPolicy): boolean {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  // The strict forms only: the lenient ones (octal, short) have been made strict by the URL parser.
  if (!ipaddr.IPv4.isValidFourPartDecimal(bare) && !ipaddr.IPv6.isValid(bare)) return false;
  // ipaddr.js reads the deprecated ::127.0.0.1 as a mapped address, which kernels do not.
  if (/^::\d+\./.test(bare)) return false;
  const kind = kindOf(ipaddr.parse(bare));
  return kind === 'public' || (kind === 'loopback' && policy.allowLoopback) || (kind === 'private' && policy.allowPrivate === true);
}

/** Whether the host of a URL is an IP address. */
export function isAddress(host: string): boolean {
  return ipaddr.isValid(host.replace(/^\[|\]$/g, ''));
}
