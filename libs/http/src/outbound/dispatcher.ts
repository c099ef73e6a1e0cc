import { Agent, type Dispatcher } from 'undici';
import type { AddressPolicy } from './address.ts';
import { guardedConnector } from './connector.ts';
import type { Lookup } from './lookup.ts';

/** Connection pools of one client. undici's own limits are off: one timeout of ours covers everything. */
export function createDispatcher(policy: AddressPolicy & { readonly lookup: Lookup }): Dispatcher {
  return new Agent({ connect: guardedConnector(policy), headersTimeout: 0, bodyTimeout: 0, pipelining: 1, allowH2: false });
}
