import { silentLogger } from '@talaria/base';
import { connectEtcd, connectEtcdAdmin, type CredentialsOptions, type EtcdAdmin, type EtcdPermission } from '@talaria/etcd';
import { CliError } from '../cli-error.ts';
import type { CredentialsFiles } from './credentials-files.ts';
import { knownServices } from './known-services.ts';
import { planRole, planUser, type PlanContext, type Step, type WantedUser } from './plan.ts';
import { roleNames, rolesOf, serviceOfRole, type Owned } from './roles.ts';

/** What is to be secured, and how. */
export interface SecureOptions {
  readonly endpoints: string;
  readonly namespace: string;
  readonly files: CredentialsFiles;
  /** ETCD_USERNAME and ETCD_PASSWORD. Without, root is taken from its file. */
  readonly user: Pick<CredentialsOptions, 'username' | 'password'>;
  /** `service.name=package.v1.Contract`, or a route: what is not published yet. */
  readonly owns: readonly string[];
  readonly operators: readonly string[];
  /** What is served here, which may be starting still: contracts by the names of their services. */
  readonly served: Readonly<Record<string, readonly string[]>>;
  /** Names of services, operators or root, that are to have new passwords. */
  readonly rotate: readonly string[];
}

/** What there is to do, in order; the last step turns authentication on. */
export interface SecurePlan {
  readonly steps: readonly Step[];
  readonly services: ReadonlyMap<string, Owned>;
  /** Users who were there before, and whose passwords are not known here. */
  readonly unknown: readonly string[];
  readonly users: readonly WantedUser[];
}

const ROOT = 'root';
const REQUEST_MS = 10_000;

/** Throws unless this is root, or etcd does not ask yet who it is. */
async function checkRoot(admin: EtcdAdmin, files: CredentialsFiles, { username, password }: SecureOptions['user']): Promise<void> {
  const fix = `run this as root: ETCD_USERNAME=root ETCD_PASSWORD=… talaria etcd secure, or with the folder that root.json is in (--dir).`;
  const credentials = username && password ? { username, password } : files.read(ROOT);
  if (!credentials) throw new CliError(`etcd asks who this is, and neither ETCD_USERNAME nor ${files.file(ROOT)} says so: ${fix}`);
  if (!(await admin.isPassword(credentials.username, credentials.password))) throw new CliError(`etcd refuses the password of ${credentials.username}: ${fix}`);
  const roles = await admin.rolesOf(credentials.username);
  if (!roles?.includes(ROOT)) throw new CliError(`${credentials.username} is not root, and only root may say who may do what: ${fix}`);
}

/** Throws if a service that is served has not published what it owns: it would get no user, or one that may not register it. */
function checkAllPublished(served: SecureOptions['served'], published: ReadonlyMap<string, Owned>): void {
  const missing = Object.entries(served).flatMap(([service, contracts]) => {
    const owned = published.get(service);
    if (!owned) return contracts.length === 0 ? [service] : contracts.map((contract) => `${service}=${contract}`);
    return contracts.filter((contract) => !owned.contracts.includes(contract)).map((contract) => `${service}=${contract}`);
  });
  if (missing.length === 0) return;
  const names = [...new Set(missing.map((each) => each.split('=')[0]))].join(', ');
  throw new CliError(`${names} would be locked out, not having published everything yet: wait until "npx nx serve" says that all is ready and run this again, or name what is missing: ${missing.map((each) => `--owns ${each}`).join(' ')}.`);
}

function wantedUsers({ namespace, operators, user }: SecureOptions, services: ReadonlyMap<string, Owned>): WantedUser[] {
  const names = roleNames(namespace);
  return [
    { name: ROOT, username: ROOT, roles: [ROOT], ...(user.username === ROOT ? { password: user.password } : {}) },
    ...operators.map((name): WantedUser => ({ name, username: name, roles: [names.operator] })),
    ...[...services.keys()].map((service): WantedUser => ({ name: service, username: names.service(service), roles: [names.reader, names.service(service)] })),
  ];
}

/** Also the services that an earlier run made roles for: what others own by now must be taken from them. */
function withEarlier(published: ReadonlyMap<string, Owned>, namespace: string, roles: readonly string[]): ReadonlyMap<string, Owned> {
  const all = new Map(published);
  for (const role of roles) {
    const service = serviceOfRole(namespace, role);
    if (service !== undefined && !all.has(service)) all.set(service, { contracts: [], routes: [] });
  }
  return all;
}

/** What a service was once permitted to register, and nobody owns now: it may be deployed later. What another owns is taken from it. */
function unclaimedIn(namespace: string, services: ReadonlyMap<string, Owned>): (permission: EtcdPermission) => boolean {
  const base = `talaria/${namespace}/`;
  const all = [...services.values()];
  const owned = new Set([
    ...all.flatMap(({ contracts }) => contracts.flatMap((contract) => [`${base}contracts/${contract}`, `${base}services/${contract}/`])),
    ...all.flatMap(({ routes }) => routes.map((route) => `${base}routes/${route}`)),
  ]);
  return ({ key }) => ['contracts/', 'services/', 'routes/'].some((folder) => key.startsWith(base + folder)) && !owned.has(key);
}

/** Looks at etcd and says what is to be done; `use` may do it. The connection is open for so long. */
export async function withSecurePlan<T>(options: SecureOptions, use: (plan: SecurePlan) => Promise<T>): Promise<T> {
  const { endpoints, namespace, files, user, owns, rotate, served } = options;
  const given = user.username && user.password ? { username: user.username, password: user.password } : undefined;
  // Asked for each login, for the file of root may be made below, before authentication is turned on.
  const connection = { endpoints, log: silentLogger, requestTimeoutMs: REQUEST_MS, credentials: () => given ?? files.read(ROOT) };
  const admin = connectEtcdAdmin(connection);
  const etcd = connectEtcd(connection);
  try {
    const enabled = await admin.authEnabled();
    if (enabled) await checkRoot(admin, files, user);
    const published = await knownServices(etcd, namespace, owns);
    if (published.size === 0) {
      throw new CliError(`No service has published anything in the namespace "${namespace}", and all would be locked out: start them first, or name them with --owns service.name=package.v1.Contract.`);
    }
    // Where authentication is on, this locks nobody out.
    if (!enabled) checkAllPublished(served, published);
    const services = withEarlier(published, namespace, await admin.roles());
    const context: PlanContext = { admin, files, enabled };
    const users = wantedUsers(options, services);
    const odd = rotate.filter((name) => !users.some((each) => each.name === name));
    if (odd.length > 0) throw new CliError(`There is no ${odd.join(', ')} to give a new password: there are ${users.map(({ name }) => name).join(', ')}.`, 2);
    const unclaimed = unclaimedIn(namespace, services);
    const steps: Step[] = [];
    const unknown: string[] = [];
    for (const role of rolesOf(namespace, services)) steps.push(...(await planRole(context, role, unclaimed)));
    for (const each of users) {
      const planned = await planUser(context, each, rotate.includes(each.name));
      steps.push(...planned.steps);
      if (planned.unknown) unknown.push(each.name);
    }
    if (unknown.includes(ROOT) && !enabled) {
      throw new CliError(`There is a user root already, whose password is not known here: set ETCD_USERNAME=root and ETCD_PASSWORD to it, or make a new one with --rotate root.`);
    }
    if (!enabled) steps.push({ text: 'turn authentication on', run: () => admin.enableAuth() });
    return await use({ steps, services, unknown, users });
  } finally {
    admin.close();
    etcd.close();
  }
}
