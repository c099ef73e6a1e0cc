import { type Metadata, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { type Access } from '../auth/access.ts';
import { hashPassword, isPassword } from '../auth/passwords.ts';
import { failures } from '../failure.ts';
import { type AuthRoleGrantPermissionRequest, type AuthRoleKeyRequest, type AuthUserRequest, type AuthUserRoleRequest, type ResponseHeader } from '../messages.ts';
import { keyOf } from '../store/record.ts';
import { type ServerState } from './server-state.ts';
import { unary } from './unary.ts';

/** The Auth service: users, roles and logging in. All but `Authenticate`, and what callers ask about themselves, is for the role root. */
export function authService({ auth, tokens, access, header }: ServerState): UntypedServiceImplementation {
  const answer = <T extends object>(more?: T): T & { header: ResponseHeader } => ({ header: header(), ...(more as T) });

  /** Runs what only the role root may do. */
  const admin = <Request>(run: (request: Request) => object | void) =>
    unary((request: Request, metadata: Metadata) => {
      access(metadata)?.admin();
      return answer(run(request) ?? {});
    });

  /** The same for what hashes a password first. The caller may have lost the role meanwhile. */
  const adminWithPassword = (run: (request: AuthUserRequest, hashed: string | undefined) => void) =>
    unary(async (request: AuthUserRequest, metadata: Metadata) => {
      access(metadata)?.admin();
      const hashed = request.options?.no_password ? undefined : await hashPassword(request.password ?? '');
      access(metadata)?.admin();
      run(request, hashed);
      return answer();
    });

  const isAdmin = (caller: Access | undefined): boolean => caller === undefined || auth.isRoot(caller.user);

  async function authenticate({ name = '', password = '' }: AuthUserRequest): Promise<string> {
    if (!auth.enabled()) throw failures.authNotEnabled();
    const revision = auth.revision();
    const hashed = auth.passwordOf(name);
    // An unknown user takes as long as a wrong password, so that names cannot be found out.
    const right = hashed === undefined ? (await hashPassword(password), false) : await isPassword(password, hashed);
    if (!right) throw failures.authenticationFailed();
    // The password may have been changed while it was looked at.
    return auth.revision() === revision ? tokens.issue(name) : authenticate({ name, password });
  }

  return {
    AuthEnable: admin(() => auth.enable()),
    AuthDisable: admin(() => {
      auth.disable();
      tokens.clear();
    }),
    AuthStatus: admin(() => ({ enabled: auth.enabled(), authRevision: auth.revision() })),
    Authenticate: unary(async (request: AuthUserRequest, metadata: Metadata) => {
      const token = await authenticate(request);
      // As in etcd, a bad token does not get one a new one: clients log in without.
      access(metadata);
      return answer({ token });
    }),
    UserAdd: adminWithPassword(({ name = '' }, hashed) => auth.addUser(name, hashed)),
    UserGet: unary(({ name = '' }: AuthUserRequest, metadata: Metadata) => {
      const caller = access(metadata);
      if (!isAdmin(caller) && caller?.user !== name) caller?.admin();
      return answer({ roles: auth.user(name).roles });
    }),
    UserList: admin(() => ({ users: auth.users() })),
    UserDelete: admin(({ name = '' }: AuthUserRequest) => {
      auth.deleteUser(name);
      tokens.revokeUser(name);
    }),
    UserChangePassword: adminWithPassword(({ name = '' }, hashed = '') => {
      auth.setPassword(name, hashed);
      tokens.revokeUser(name);
    }),
    UserGrantRole: admin(({ user = '', role = '' }: AuthUserRoleRequest) => auth.grantRole(user, role)),
    UserRevokeRole: admin(({ name = '', role = '' }: AuthUserRoleRequest) => auth.revokeRole(name, role)),
    RoleAdd: admin(({ name = '' }: AuthUserRequest) => auth.addRole(name)),
    RoleGet: unary(({ role = '' }: AuthUserRoleRequest, metadata: Metadata) => {
      const caller = access(metadata);
      if (!isAdmin(caller) && !auth.hasRole(caller?.user ?? '', role)) caller?.admin();
      const perm = auth.role(role).permissions.map(({ type, key, end }) => ({ permType: type, key: Buffer.from(key, 'latin1'), range_end: Buffer.from(end, 'latin1') }));
      return answer({ perm });
    }),
    RoleList: admin(() => ({ roles: auth.roles() })),
    RoleDelete: admin(({ role = '' }: AuthUserRoleRequest) => auth.deleteRole(role)),
    RoleGrantPermission: admin(({ name = '', perm }: AuthRoleGrantPermissionRequest) =>
      auth.grantPermission(name, perm && { type: perm.permType ?? 0, key: keyOf(perm.key), end: keyOf(perm.range_end) }),
    ),
    RoleRevokePermission: admin(({ role = '', key, range_end: end }: AuthRoleKeyRequest) => auth.revokePermission(role, keyOf(key), keyOf(end))),
  };
}
