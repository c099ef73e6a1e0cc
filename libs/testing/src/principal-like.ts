import type { Principal } from '@talaria/context';

/** A principal as far as a test says it: its id, or some of it. */
export type PrincipalLike = string | (Pick<Principal, 'id'> & Partial<Principal>);

/** The whole: its client is `test` and it may do nothing, unless it says so. */
export function principalOf(like: PrincipalLike): Principal {
  return { clientId: 'test', scopes: [], ...(typeof like === 'string' ? { id: like } : like) };
}
