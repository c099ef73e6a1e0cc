import { silentLogger } from '@talaria/base';
import { connectEtcdAdmin, credentialsFrom } from '@talaria/etcd';
import { findPlatform } from '@talaria/service/platform-file';
import { fromEtcd } from '../from-etcd.ts';
import type { Terminal } from '../terminal.ts';

/** `talaria etcd status`: whether etcd asks who one is, and who that is. */
export async function etcdStatus(options: { readonly json?: boolean }, terminal: Terminal, env: Readonly<Record<string, string | undefined>>, signal: AbortSignal): Promise<void> {
  const { endpoints, user } = findPlatform(env);
  const credentials = credentialsFrom(user);
  const admin = connectEtcdAdmin({ endpoints, log: silentLogger, credentials });
  try {
    const authentication = await fromEtcd(endpoints, admin.authEnabled(), { signal });
    const username = credentials?.()?.username;
    const roles = authentication && username !== undefined ? await fromEtcd(endpoints, admin.rolesOf(username), { signal }) : undefined;
    if (options.json) return terminal.out(`${JSON.stringify({ endpoints: endpoints.split(','), authentication, ...(username === undefined ? {} : { user: username }), ...(roles ? { roles } : {}) })}\n`);
    terminal.out(`etcd            ${endpoints}\nauthentication  ${authentication ? 'on' : 'off: everybody may change everything ("talaria etcd secure" changes that)'}\n`);
    if (authentication) terminal.out(`user            ${username === undefined ? 'none: set ETCD_USERNAME and ETCD_PASSWORD' : `${username} (${roles?.join(', ') || 'without a role'})`}\n`);
  } finally {
    admin.close();
  }
}
