import { failures } from '../failure.ts';
import { type Persistence } from '../store/persistence.ts';
import { readAuthState, writeAuthState, type AuthState, type Role, type User } from './auth-state.ts';
import { mergePermissions, type Permission, type Permissions } from './permissions.ts';

/** The user, and the role, that may do everything. */
export const ROOT = 'root';

/** Users and roles. All changes are stored when their method returns; each throws etcd's failure if it is not possible. */
export interface AuthStore {
  enabled(): boolean;
  revision(): number;
  /** Needs the user root with the role root. */
  enable(): void;
  disable(): void;
  user(name: string): User;
  users(): readonly string[];
  /** Without a password hash the user cannot log in. */
  addUser(name: string, password: string | undefined): void;
  deleteUser(name: string): void;
  setPassword(name: string, password: string): void;
  grantRole(user: string, role: string): void;
  revokeRole(user: string, role: string): void;
  role(name: string): Role;
  roles(): readonly string[];
  addRole(name: string): void;
  /** Also takes it from all users. */
  deleteRole(name: string): void;
  grantPermission(role: string, permission: Permission | undefined): void;
  revokePermission(role: string, key: string, end: string): void;
  /** The password hash to log in with; undefined if there is no such user. Throws for a user without one. */
  passwordOf(name: string): string | undefined;
  /** Whether there is such a user, who has the role root. */
  isRoot(name: string): boolean;
  /** Whether the user has the role. */
  hasRole(name: string, role: string): boolean;
  /** All that the user's roles permit; nothing if there is no such user. */
  permissionsOf(name: string): Permissions;
}

const byName = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const without = <T>(map: ReadonlyMap<string, T>, name: string): Map<string, T> => new Map([...map].filter(([key]) => key !== name));

/** Opens what `persistence` has. */
export function createAuthStore(persistence: Persistence): AuthStore {
  let state: AuthState = readAuthState(persistence.auth());
  const merged = new Map<string, Permissions>();

  /** Stored first, so that a full disk changes nothing. */
  function change(changes: Partial<AuthState>): void {
    const next = { ...state, revision: state.revision + 1, ...changes };
    try {
      persistence.saveAuth(writeAuthState(next));
    } catch (cause) {
      throw Object.assign(failures.noSpace(), { cause });
    }
    state = next;
    merged.clear();
  }
  const putUser = (user: User): void => change({ users: new Map(state.users).set(user.name, user) });
  const putRole = (role: Role): void => change({ roles: new Map(state.roles).set(role.name, role) });

  function user(name: string): User {
    const found = state.users.get(name);
    if (!found) throw failures.userNotFound();
    return found;
  }
  function role(name: string): Role {
    const found = state.roles.get(name);
    if (!found) throw failures.roleNotFound();
    return found;
  }
  const hasRole = (name: string, wanted: string): boolean => state.users.get(name)?.roles.includes(wanted) ?? false;
  /** Nobody may lock everybody out. */
  const keepRoot = (would: boolean): void => {
    if (would && state.enabled) throw failures.invalidAuthManagement();
  };

  return {
    enabled: () => state.enabled,
    revision: () => state.revision,
    enable() {
      if (state.enabled) return;
      if (!state.users.has(ROOT)) throw failures.rootUserNotFound();
      if (!hasRole(ROOT, ROOT)) throw failures.rootRoleNotFound();
      change({ enabled: true, revision: state.revision });
    },
    disable() {
      if (state.enabled) change({ enabled: false });
    },
    user,
    users: () => [...state.users.keys()].sort(byName),
    addUser(name, password) {
      if (name === '') throw failures.emptyUser();
      if (state.users.has(name)) throw failures.userExists();
      putUser({ name, roles: [], ...(password === undefined ? {} : { password }) });
    },
    deleteUser(name) {
      keepRoot(name === ROOT);
      user(name);
      change({ users: without(state.users, name) });
    },
    setPassword(name, password) {
      const found = user(name);
      // As in etcd, a user made without a password never gets one.
      putUser(found.password === undefined ? found : { ...found, password });
    },
    grantRole(name, wanted) {
      const found = user(name);
      if (wanted !== ROOT) role(wanted);
      if (!found.roles.includes(wanted)) putUser({ ...found, roles: [...found.roles, wanted].sort(byName) });
    },
    revokeRole(name, unwanted) {
      keepRoot(name === ROOT && unwanted === ROOT);
      const found = user(name);
      if (!found.roles.includes(unwanted)) throw failures.roleNotGranted();
      putUser({ ...found, roles: found.roles.filter((each) => each !== unwanted) });
    },
    role,
    roles: () => [...state.roles.keys()].sort(byName),
    addRole(name) {
      if (name === '') throw failures.emptyRole();
      if (state.roles.has(name)) throw failures.roleExists();
      putRole({ name, permissions: [] });
    },
    deleteRole(name) {
      keepRoot(name === ROOT);
      role(name);
      const users = new Map([...state.users].map(([key, each]) => [key, { ...each, roles: each.roles.filter((one) => one !== name) }]));
      change({ roles: without(state.roles, name), users });
    },
    grantPermission(name, permission) {
      const { permissions } = role(name);
      if (!permission) throw failures.permissionNotGiven();
      // As etcd looks: of several permissions that start at the key only the first is ever replaced.
      const at = permissions.findIndex(({ key }) => key >= permission.key);
      const there = permissions[at];
      if (there?.key === permission.key && there.end === permission.end) putRole({ name, permissions: permissions.with(at, permission) });
      else putRole({ name, permissions: [...permissions, permission].sort((a, b) => byName(a.key, b.key)) });
    },
    revokePermission(name, key, end) {
      const { permissions } = role(name);
      const left = permissions.filter((each) => each.key !== key || each.end !== end);
      if (left.length === permissions.length) throw failures.permissionNotGranted();
      putRole({ name, permissions: left });
    },
    passwordOf(name) {
      const found = state.users.get(name);
      if (found && found.password === undefined) throw failures.noPasswordUser();
      return found?.password;
    },
    isRoot: (name) => hasRole(name, ROOT),
    hasRole,
    permissionsOf(name) {
      let found = merged.get(name);
      if (!found) {
        const roles = state.users.get(name)?.roles ?? [];
        found = mergePermissions(roles.flatMap((each) => state.roles.get(each)?.permissions ?? []));
        merged.set(name, found);
      }
      return found;
    },
  };
}
