import { PULSE_KEY, type EtcdPermission } from '@talaria/etcd';

/** What a service registers: nobody else may. */
export interface Owned {
  readonly contracts: readonly string[];
  /** Such as `POST /webhooks`. */
  readonly routes: readonly string[];
}

/** A role of etcd. */
export interface Role {
  readonly name: string;
  readonly permissions: readonly EtcdPermission[];
}

/** The names of what `secure` makes for a namespace. */
export const roleNames = (namespace: string) => ({
  reader: `talaria.${namespace}.reader`,
  operator: `talaria.${namespace}.operator`,
  /** Of the role, and the user, of a service. */
  service: (service: string) => `talaria.${namespace}.${service}`,
});

const read = (key: string): EtcdPermission => ({ access: 'read', key, prefix: true });
const readwrite = (key: string): EtcdPermission => ({ access: 'readwrite', key, prefix: true });
/** Every client asks for this key to see whether etcd is there. */
const PULSE: EtcdPermission = { access: 'read', key: PULSE_KEY, prefix: false };

/** What every service reads: who serves what, what everybody's settings are, and flags. It writes none of it. */
function readerRole(namespace: string): Role {
  const base = `talaria/${namespace}/`;
  const folders = ['services/', 'contracts/', 'descriptors/', 'routes/', 'config/global/', 'config/instance/', 'flags/', 'experiments/'];
  return { name: roleNames(namespace).reader, permissions: [PULSE, ...folders.map((folder) => read(base + folder))] };
}

/** What one service has for itself: its own registrations, its settings (to read), its schedules, elections and health. */
function serviceRole(namespace: string, service: string, { contracts, routes }: Owned): Role {
  const base = `talaria/${namespace}/`;
  return {
    name: roleNames(namespace).service(service),
    permissions: [
      read(`${base}config/service/${service}/`),
      read(`${base}config/version/${service}@`),
      // Named after their content, so that nobody can put another in their place.
      readwrite(`${base}descriptors/`),
      readwrite(`${base}schemas/${service}@`),
      ...['applied', 'schedules', 'elections', 'health'].map((folder) => readwrite(`${base}${folder}/${service}/`)),
      ...contracts.flatMap((contract): EtcdPermission[] => [
        readwrite(`${base}services/${contract}/`),
        { access: 'readwrite', key: `${base}contracts/${contract}`, prefix: false },
      ]),
      ...routes.map((route): EtcdPermission => ({ access: 'readwrite', key: `${base}routes/${route}`, prefix: false })),
    ],
  };
}

/** Who operates the platform: reads everything of the namespace, and changes settings, flags and experiments with their history; registers nothing. */
function operatorRole(namespace: string): Role {
  const base = `talaria/${namespace}/`;
  return { name: roleNames(namespace).operator, permissions: [PULSE, read(base), ...['config/', 'history/', 'flags/', 'flags-history/', 'experiments/'].map((folder) => readwrite(base + folder))] };
}

/** The service that a role was made for; undefined for others. */
export function serviceOfRole(namespace: string, role: string): string | undefined {
  const { reader, operator, service } = roleNames(namespace);
  return role.startsWith(service('')) && role !== reader && role !== operator ? role.slice(service('').length) : undefined;
}

/** All roles of a namespace (docs/decisions/0010-etcd-roles.md). */
export function rolesOf(namespace: string, services: ReadonlyMap<string, Owned>): readonly Role[] {
  return [readerRole(namespace), operatorRole(namespace), ...[...services].map(([service, owned]) => serviceRole(namespace, service, owned))];
}
