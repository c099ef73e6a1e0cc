import { Etcd3 } from 'etcd3';
import { endOfPrefix } from '../types.ts';

/** A user of a test: the password is the name. */
export interface TestUser {
  readonly name: string;
  /** Prefixes it may read and write. */
  readonly own: readonly string[];
}

/** Turns authentication on at an etcd that has no users yet: root (password `root`), and others. Resolves with a client that is root, to be closed. */
export async function secureEtcd(endpoint: string, users: readonly TestUser[]): Promise<Etcd3> {
  const open = new Etcd3({ hosts: endpoint });
  await open.auth.userAdd({ name: 'root', password: 'root' });
  await open.auth.userGrantRole({ user: 'root', role: 'root' });
  for (const { name, own } of users) {
    await open.auth.userAdd({ name, password: name });
    await open.auth.roleAdd({ name });
    await open.auth.roleGrantPermission({ name, perm: { permType: 'Read', key: Buffer.from('talaria'), range_end: Buffer.alloc(0) } });
    for (const prefix of own) await open.auth.roleGrantPermission({ name, perm: { permType: 'Readwrite', key: Buffer.from(prefix), range_end: endOfPrefix(prefix) } });
    await open.auth.userGrantRole({ user: name, role: name });
  }
  await open.auth.authEnable();
  open.close();
  return new Etcd3({ hosts: endpoint, auth: { username: 'root', password: 'root' } });
}
