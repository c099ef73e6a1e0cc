import { openConnection, type ConnectionOptions } from './connection.ts';
import { endOfPrefix } from './types.ts';

/** What a role may do with a key, or with all keys that start with a prefix. */
export interface EtcdPermission {
  readonly access: 'read' | 'write' | 'readwrite';
  readonly key: string;
  /** Whether `key` is a prefix. Default false. */
  readonly prefix?: boolean;
}

/** Users and roles of an etcd. Each method rejects with etcd's own words if it refuses. */
export interface EtcdAdmin {
  /** Whether etcd wants to know who asks. */
  authEnabled(): Promise<boolean>;
  /** Whether these credentials are good. Only where authentication is on. */
  isPassword(username: string, password: string): Promise<boolean>;
  /** Roles of a user; undefined if there is no such user. */
  rolesOf(user: string): Promise<readonly string[] | undefined>;
  users(): Promise<readonly string[]>;
  addUser(user: string, password: string): Promise<void>;
  setPassword(user: string, password: string): Promise<void>;
  grantRole(user: string, role: string): Promise<void>;
  revokeRole(user: string, role: string): Promise<void>;
  /** Undefined if there is no such role. */
  permissionsOf(role: string): Promise<readonly EtcdPermission[] | undefined>;
  roles(): Promise<readonly string[]>;
  addRole(role: string): Promise<void>;
  grantPermission(role: string, permission: EtcdPermission): Promise<void>;
  revokePermission(role: string, permission: EtcdPermission): Promise<void>;
  /** Needs the user `root` with the role `root`. */
  enableAuth(): Promise<void>;
  close(): void;
}

const TYPES = { read: 'Read', write: 'Write', readwrite: 'Readwrite' } as const;
const ACCESS = { Read: 'read', Write: 'write', Readwrite: 'readwrite' } as const;

const has = (error: unknown, text: string): boolean => error instanceof Error && error.message.includes(text);

const rangeOf = ({ key, prefix = false }: EtcdPermission): { key: Buffer; range_end: Buffer } => ({
  key: Buffer.from(key),
  range_end: prefix ? endOfPrefix(key) : Buffer.alloc(0),
});

/** Administers the users and roles of an etcd; where authentication is on, as a user with the role `root`. */
export function connectEtcdAdmin(options: ConnectionOptions): EtcdAdmin {
  const { send, members, requestTimeoutMs } = openConnection(options);
  const authenticate = (name: string, password: string): Promise<unknown> => members.run((member, within) => member.auth.authenticate({ name, password }, within), Date.now() + requestTimeoutMs, true);
  const orUndefined = async <T>(asked: Promise<T>): Promise<T | undefined> =>
    asked.catch((error: unknown) => {
      if (has(error, 'name not found')) return undefined;
      throw error;
    });

  return {
    async authEnabled() {
      // etcd 3.4 has no other way to ask that needs no login.
      try {
        await authenticate('', '');
        return true;
      } catch (error) {
        if (has(error, 'authentication is not enabled')) return false;
        if (has(error, 'authentication failed')) return true;
        throw error;
      }
    },
    isPassword: (username, password) =>
      authenticate(username, password).then(
        () => true,
        (error: unknown) => {
          if (has(error, 'authentication failed')) return false;
          throw error;
        },
      ),
    rolesOf: async (name) => (await orUndefined(send((member, within) => member.auth.userGet({ name }, within))))?.roles,
    users: async () => (await send((member, within) => member.auth.userList(within))).users,
    addUser: async (name, password) => void (await send((member, within) => member.auth.userAdd({ name, password }, within))),
    setPassword: async (name, password) => void (await send((member, within) => member.auth.userChangePassword({ name, password }, within))),
    grantRole: async (user, role) => void (await send((member, within) => member.auth.userGrantRole({ user, role }, within))),
    revokeRole: async (name, role) => void (await send((member, within) => member.auth.userRevokeRole({ name, role }, within))),
    async permissionsOf(role) {
      const found = await orUndefined(send((member, within) => member.auth.roleGet({ role }, within)));
      return found?.perm.map(({ permType, key, range_end: end }) => ({ access: ACCESS[permType as keyof typeof ACCESS], key: key.toString(), prefix: end.length > 0 && end.equals(endOfPrefix(key.toString())) }));
    },
    roles: async () => (await send((member, within) => member.auth.roleList(within))).roles,
    addRole: async (name) => void (await send((member, within) => member.auth.roleAdd({ name }, within))),
    async grantPermission(role, permission) {
      const perm = { permType: TYPES[permission.access], ...rangeOf(permission) };
      await send((member, within) => member.auth.roleGrantPermission({ name: role, perm }, within));
    },
    async revokePermission(role, permission) {
      await send((member, within) => member.auth.roleRevokePermission({ role, ...rangeOf(permission) }, within));
    },
    enableAuth: async () => void (await send((member, within) => member.auth.authEnable(within))),
    close: () => members.close(),
  };
}
