import { InterceptingCall, type Interceptor } from '@grpc/grpc-js';
import type { Logger } from '@talaria/base';
import { outside } from './outside.ts';

/** A user of etcd. */
export interface EtcdCredentials {
  readonly username: string;
  readonly password: string;
}

/** Where the credentials come from; asked again for each login, because they may change. Undefined: there are none (yet). */
export type CredentialsSource = () => EtcdCredentials | undefined;

/** Who this client is to etcd. */
export interface Login {
  /** Resolves when requests can be sent: with a token, or without one if etcd wants none or there are no credentials. Rejects if etcd refuses the credentials or cannot be asked. */
  ready(): Promise<void>;
  /** What the next request is sent with. */
  token(): string | undefined;
  /** Whether the reason of a failure is that `used` is no good (any more), so that logging in anew may help. */
  ended(reason: string, used: string | undefined): boolean;
  /** The failure of a request, with the fix where it is one of logging in. */
  explain(error: unknown): unknown;
  /** Adds the token to each request of a connection. */
  readonly interceptor: Interceptor;
}

/** What a login needs. */
export interface LoginOptions {
  readonly log: Logger;
  readonly credentials: CredentialsSource;
  /** Asks etcd for a token. */
  readonly authenticate: (credentials: EtcdCredentials) => Promise<string>;
}

const AUTHENTICATE = '/etcdserverpb.Auth/Authenticate';
const NOT_ENABLED = 'authentication is not enabled';
const BAD_TOKEN = 'invalid auth token';
const OUTDATED = 'revision of auth store is old';
const NOBODY = 'user name is empty';
/** How long a refusal of the credentials is not asked for again, in ms: checking a password is work for etcd. */
const REFUSED_MS = 1000;

/** etcd3 sends a request again, without end or pause, when it reads this in a failure: it must not. */
const withoutTrigger = (details: string): string => details.replace(`etcdserver: ${BAD_TOKEN}`, `etcd: ${BAD_TOKEN}`);

/** Logs in when first needed, and again when the login has ended. Neither password nor token is ever part of a message. */
export function createLogin({ log, credentials, authenticate }: LoginOptions): Login {
  let token: string | undefined;
  /** Whether it is known what to send: a token, or none. */
  let settled = false;
  let pending: Promise<void> | undefined;
  let refused: { readonly error: Error; readonly at: number } | undefined;
  let said = '';

  const refusal = (user: string, error: unknown): Error => {
    const reason = error instanceof Error ? error.message : String(error);
    if (!/authentication failed/.test(reason)) return error instanceof Error ? error : new Error(reason);
    return new Error(`etcd refuses the login of the user "${user}": check ETCD_USERNAME and ETCD_PASSWORD.`);
  };

  async function logIn(): Promise<void> {
    const given = credentials();
    if (!given) {
      settled = true;
      return;
    }
    try {
      token = await authenticate(given);
      settled = true;
      said = '';
    } catch (error) {
      if (error instanceof Error && error.message.includes(NOT_ENABLED)) {
        settled = true;
        return;
      }
      const translated = refusal(given.username, error);
      if (translated !== error) {
        refused = { error: translated, at: performance.now() };
        if (said !== translated.message) log.error(translated.message, { username: given.username });
        said = translated.message;
      }
      throw translated;
    }
  }

  return {
    async ready() {
      if (settled) return;
      if (refused && performance.now() - refused.at < REFUSED_MS) throw refused.error;
      pending ??= outside(logIn).finally(() => (pending = undefined));
      await pending;
    },
    token: () => token,
    ended(reason, used) {
      const about = [BAD_TOKEN, OUTDATED, NOBODY].some((each) => reason.includes(each));
      if (!about || !credentials()) return false;
      if (token === used) {
        token = undefined;
        settled = false;
      }
      return true;
    },
    explain: (error) =>
      error instanceof Error && error.message.includes(NOBODY) ? new Error('etcd does not answer nobody: set ETCD_USERNAME and ETCD_PASSWORD to a user of it.', { cause: error }) : error,
    interceptor: (options, nextCall) =>
      new InterceptingCall(nextCall(options), {
        start(metadata, _listener, next) {
          // etcd refuses to log in whom it is sent a bad token for.
          if (token !== undefined && options.method_definition.path !== AUTHENTICATE) metadata.set('token', token);
          next(metadata, { onReceiveStatus: (status, nextStatus) => nextStatus({ ...status, details: withoutTrigger(status.details) }) });
        },
      }),
  };
}
