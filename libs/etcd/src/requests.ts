import type { Login } from './login.ts';
import type { MemberRequest, Members } from './members.ts';

/** Sends one request to etcd, logged in. `repeatable`: it changes nothing, so that it may be sent to several members. */
export type Send = <T>(request: MemberRequest<T>, options?: { readonly repeatable?: boolean }) => Promise<T>;

/** How often a request is sent again because the login had ended: once for a new token, and once more if users and roles are just being changed. */
const LOGINS = 2;

/** etcd refuses before it does anything, so what it refused for the login's sake can be sent again. */
export function createSend(members: Members, login: Login, requestTimeoutMs: number): Send {
  return async (request, { repeatable = false } = {}) => {
    const until = Date.now() + requestTimeoutMs;
    for (let logins = 0; ; logins++) {
      await login.ready();
      const used = login.token();
      try {
        return await members.run(request, until, repeatable);
      } catch (error) {
        if (logins >= LOGINS || !login.ended(error instanceof Error ? error.message : '', used)) throw login.explain(error);
      }
    }
  };
}
