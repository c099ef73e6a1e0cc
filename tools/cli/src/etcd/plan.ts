import type { EtcdAdmin, EtcdCredentials, EtcdPermission } from '@talaria/etcd';
import type { CredentialsFiles } from './credentials-files.ts';
import type { Role } from './roles.ts';

/** One change of etcd. */
export interface Step {
  /** What it does, for people. Never a password. */
  readonly text: string;
  run(): Promise<void>;
}

/** A user that is to be there. */
export interface WantedUser {
  /** Of its file. */
  readonly name: string;
  readonly username: string;
  readonly roles: readonly string[];
  /** Given by the caller, in place of a file. */
  readonly password?: string | undefined;
}

/** What the plan stands on. */
export interface PlanContext {
  readonly admin: EtcdAdmin;
  readonly files: CredentialsFiles;
  /** Whether authentication is on already. */
  readonly enabled: boolean;
}

const sameRange = (a: EtcdPermission, b: EtcdPermission): boolean => a.key === b.key && (a.prefix ?? false) === (b.prefix ?? false);
const shown = ({ access, key, prefix }: EtcdPermission): string => `${access} ${key}${prefix ? '*' : ''}`;

/** What is missing of a role, and then what it has too much, but for what is to be kept. */
export async function planRole({ admin }: PlanContext, { name, permissions }: Role, keep: (permission: EtcdPermission) => boolean): Promise<Step[]> {
  const found = await admin.permissionsOf(name);
  const steps: Step[] = found ? [] : [{ text: `make the role ${name}`, run: () => admin.addRole(name) }];
  for (const wanted of permissions) {
    const there = found?.find((each) => sameRange(each, wanted));
    if (there?.access !== wanted.access) steps.push({ text: `permit ${name} to ${shown(wanted)}`, run: () => admin.grantPermission(name, wanted) });
  }
  for (const each of found ?? []) {
    if (!permissions.some((wanted) => sameRange(each, wanted)) && !keep(each)) steps.push({ text: `no longer permit ${name} to ${shown(each)}`, run: () => admin.revokePermission(name, each) });
  }
  return steps;
}

/**
 * What is missing of a user. The file is written before etcd hears of the password, so that whatever interrupts this, the next
 * run goes on with what the file says. `unknown`: the user is there, and its password is not known here.
 */
export async function planUser({ admin, files, enabled }: PlanContext, user: WantedUser, rotate: boolean): Promise<{ readonly steps: Step[]; readonly unknown: boolean }> {
  const { name, username, roles, password } = user;
  const has = await admin.rolesOf(username);
  const kept: EtcdCredentials | undefined = password === undefined ? files.read(name) : { username, password };
  const credentials = (): EtcdCredentials => (rotate || !kept ? files.generate(name, username) : kept);
  const steps: Step[] = [];
  if (!has) steps.push({ text: `make the user ${username}`, run: async () => admin.addUser(username, credentials().password) });
  else if (rotate) steps.push({ text: `give ${username} a new password`, run: async () => admin.setPassword(username, credentials().password) });
  else if (kept && !(enabled && (await admin.isPassword(username, kept.password)))) {
    steps.push({ text: `set the password of ${username} to that of ${password === undefined ? files.file(name) : 'ETCD_PASSWORD'}`, run: () => admin.setPassword(username, kept.password) });
  }
  for (const role of roles) if (!has?.includes(role)) steps.push({ text: `give ${username} the role ${role}`, run: () => admin.grantRole(username, role) });
  return { steps, unknown: has !== undefined && !kept && !rotate };
}
