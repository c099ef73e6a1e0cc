import { WiringError } from './wiring-error.ts';

const ANY_HOST = /^(0\.0\.0\.0|\[::\])(?=:|$)/;

/** Where others reach an instance. */
export interface Advertised {
  /** `host:port`: the name of the endpoint. */
  readonly address: string;
  /** With its scheme. */
  readonly url: string;
}

/** What to advertise for a bound address such as `h2c://127.0.0.1:41234`. Throws if it cannot be known. */
export function advertised(bound: string, advertise: string | undefined, instance: string): Advertised {
  const [scheme = '', rest = ''] = bound.split('://', 2);
  // Within a process there are no ports; the registry wants one all the same.
  if (scheme === 'inproc') return { address: `${instance}:1`, url: bound };
  if (advertise !== undefined) return { address: advertise, url: `${scheme}://${advertise}` };
  if (ANY_HOST.test(rest)) throw new WiringError(`Listening on ${bound}, others cannot know how to reach this instance: set TALARIA_ADVERTISE to its host:port, such as 10.0.0.7:${rest.split(':').at(-1)}.`);
  return { address: rest, url: bound };
}
