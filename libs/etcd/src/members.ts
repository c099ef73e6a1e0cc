import { noop } from 'cockatiel';
import { Etcd3, isRecoverableError } from 'etcd3';
import { outside } from './outside.ts';

/** The limit of a request, as etcd3 takes it: the time of day in ms. */
export interface Within {
  readonly deadline: number;
}

/** One request to the member that it is given. */
export type MemberRequest<T> = (member: Etcd3, within: Within) => Promise<T>;

/** The endpoints of one cluster, of which one is used until it fails. */
export interface Members {
  /**
   * Sends a request to the member in use, until `until` (the time of day in ms). If that member cannot be reached, the next
   * is used from then on; and the request is sent there too if it never left, or if it is `repeatable`.
   */
  run<T>(request: MemberRequest<T>, until: number, repeatable?: boolean): Promise<T>;
  /** The member in use. */
  current(): Etcd3;
  close(): void;
}

/** How the members of a cluster are reached. */
export interface MembersOptions {
  readonly endpoints: readonly string[];
  readonly requestTimeoutMs: number;
  /** For each connection; see grpc-js. */
  readonly grpcOptions: Readonly<Record<string, unknown>>;
  /** Called when another member is used from now on: streams to the one before may be dead. */
  onMoved(): void;
}

/** Whether an error says that etcd could not be reached (and not that it refused). */
export const isUnreachable = (error: unknown): boolean => error instanceof Error && isRecoverableError(error);

/** Only failures to connect, of which not a byte has left: anything else might have been done already. */
const wasNeverSent = (error: unknown): boolean => error instanceof Error && /No connection established|Name resolution failed/.test(error.message);

/**
 * One client a member, instead of etcd3's own choice among hosts: it takes another at random for each request, so that one
 * frozen member of three fails every third request for as long as it is frozen.
 */
export function createMembers({ endpoints, requestTimeoutMs, grpcOptions, onMoved }: MembersOptions): Members {
  const members = endpoints.map((endpoint) =>
    outside(
      () =>
        new Etcd3({
          hosts: endpoint,
          // etcd3's own breaker refuses everything for 5 s after three failures. The loops of this lib pace themselves.
          faultHandling: { host: () => noop, global: noop },
          grpcOptions: { ...grpcOptions },
        }),
    ),
  );
  let closed = false;
  // So that many clients do not all use the first.
  let inUse = Math.floor(Math.random() * members.length);

  const moveFrom = (failed: number): void => {
    if (closed || inUse !== failed || members.length === 1) return;
    inUse = (failed + 1) % members.length;
    onMoved();
  };

  return {
    async run(request, until, repeatable = false) {
      for (let tried = 1; ; tried++) {
        const at = inUse;
        const others = members.length - tried;
        // What can be repeated must have time left for it.
        const deadline = repeatable && others > 0 ? Math.min(until, Date.now() + requestTimeoutMs / 2) : until;
        try {
          return await request(members[at] as Etcd3, { deadline });
        } catch (error) {
          if (!isUnreachable(error)) throw error;
          moveFrom(at);
          if (closed || others <= 0 || !(repeatable || wasNeverSent(error)) || Date.now() >= until) throw error;
        }
      }
    },
    current: () => members[inUse] as Etcd3,
    close() {
      closed = true;
      for (const member of members) member.close();
    },
  };
}
