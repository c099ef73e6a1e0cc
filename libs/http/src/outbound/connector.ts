import { buildConnector } from 'undici';
import { isAddress, isAllowedAddress, type AddressPolicy } from './address.ts';
import { forbiddenAddress } from './check-url.ts';
import { lookupWithin, type Lookup } from './lookup.ts';

/** One attempt; a host with several addresses gets as many, and the request's own timeout ends them all. */
const ATTEMPT_LIMIT_MS = 5000;

type ConnectOptions = Parameters<buildConnector.connector>[0];
type Callback = Parameters<buildConnector.connector>[1];
type Socket = NonNullable<Parameters<Callback>[1]>;

/** How long an address has before the next one is tried beside it. RFC 8305, section 5. */
const NEXT_AFTER_MS = 250;

/** Tries each address, the next one when the last one failed or is slow; the first socket wins. */
function firstToConnect(addresses: readonly string[], attempt: (address: string) => Promise<Socket>): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const errors: unknown[] = [];
    let started = 0;
    let done = false;
    let timer: NodeJS.Timeout | undefined;
    const next = (): void => {
      clearTimeout(timer);
      const address = addresses[started];
      if (address === undefined) return;
      started++;
      timer = setTimeout(next, NEXT_AFTER_MS);
      attempt(address).then(
        (socket) => {
          if (done) socket.destroy();
          else resolve(socket);
          done = true;
          clearTimeout(timer);
        },
        (error: unknown) => {
          errors.push(error);
          if (errors.length === addresses.length) {
            clearTimeout(timer);
            reject(errors.length === 1 ? (error as Error) : new AggregateError(errors, 'none of the addresses answers'));
          } else if (!done) next();
        },
      );
    };
    next();
  });
}

/**
 * Connects to the allowed addresses of a host, in turn. The name is resolved here, once, and the socket goes to
 * an address that was checked, so that a name cannot resolve to something else in between (DNS rebinding).
 */
export function guardedConnector(policy: AddressPolicy & { readonly lookup: Lookup }): buildConnector.connector {
  const connect = buildConnector({ timeout: ATTEMPT_LIMIT_MS, allowH2: false, autoSelectFamily: false });

  const attempt = (options: ConnectOptions, address: string): Promise<Socket> =>
    new Promise((resolve, reject) => {
      // For plain sockets undici would connect to `servername`; only TLS needs it, and there it stays the host.
      const { servername, ...rest } = options;
      const secure = options.protocol === 'https:' && !isAddress(options.hostname);
      connect({ ...rest, hostname: address, ...(secure ? { servername: servername ?? options.hostname } : {}) }, (error, socket) => {
        if (error ?? !socket) reject(error ?? new Error('no socket'));
        else resolve(socket as Socket);
      });
    });

  const open = async (options: ConnectOptions): Promise<Socket> => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    const resolved = isAddress(host) ? [host] : (await lookupWithin(policy.lookup, host, ATTEMPT_LIMIT_MS)).map(({ address }) => address);
    const allowed = [...new Set(resolved)].filter((address) => isAllowedAddress(address, policy));
    if (allowed.length === 0) throw forbiddenAddress();
    return await firstToConnect(allowed, (address) => attempt(options, address));
  };

  return (options, callback) => {
    open(options).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
}
