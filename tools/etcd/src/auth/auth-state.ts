import { type Permission } from './permissions.ts';

/** A user as it is kept. */
export interface User {
  readonly name: string;
  /** A hash; undefined for a user who cannot log in with a password. */
  readonly password?: string;
  /** In ascending order. */
  readonly roles: readonly string[];
}

/** A role as it is kept. */
export interface Role {
  readonly name: string;
  /** In ascending order of keys. */
  readonly permissions: readonly Permission[];
}

/** All that is kept of users and roles. */
export interface AuthState {
  readonly enabled: boolean;
  /** Grows with every change. */
  readonly revision: number;
  readonly users: ReadonlyMap<string, User>;
  readonly roles: ReadonlyMap<string, Role>;
}

interface Stored {
  readonly enabled: boolean;
  readonly revision: number;
  readonly users: readonly User[];
  readonly roles: readonly Role[];
}

/** The state as text, for the persistence. */
export function writeAuthState({ enabled, revision, users, roles }: AuthState): string {
  const stored: Stored = { enabled, revision, users: [...users.values()], roles: [...roles.values()] };
  return JSON.stringify(stored);
}

/** The state that was written; without one that of a new server: authentication is off, and there are no users. */
export function readAuthState(text: string | undefined): AuthState {
  const { enabled, revision, users, roles } = text === undefined ? { enabled: false, revision: 1, users: [], roles: [] } : (JSON.parse(text) as Stored);
  return { enabled, revision, users: new Map(users.map((user) => [user.name, user])), roles: new Map(roles.map((role) => [role.name, role])) };
}
