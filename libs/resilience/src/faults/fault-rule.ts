import type { Status } from '@talaria/rpc';

/** What goes wrong: one of these; `delay` also together with another one, which then comes late. */
export interface Fault {
  /** The call begins so many ms later. */
  readonly delay?: number | undefined;
  /** By how many ms `delay` varies, up and down. Default 0. */
  readonly jitter?: number | undefined;
  /** The call fails at once, and nobody executes it. */
  readonly error?: { readonly code: StatusName; /** For whoever reads the error. */ readonly message?: string | undefined } | undefined;
  /** The call is executed and then cut, with UNAVAILABLE: a stream after so many responses, any other call before its response. */
  readonly abort?: { readonly afterMessages: number } | undefined;
  /** The call is never answered: it ends with its deadline, or when its caller cancels it. */
  readonly blackhole?: true | undefined;
  /** Responses arrive damaged: `true` so that no decoder takes them, `flip` with one bit flipped, which may well decode. */
  readonly corrupt?: true | 'flip' | undefined;
  /** Responses arrive slowly, one after the other. */
  readonly trickle?: { readonly bytesPerSecond: number } | undefined;
}

/** A gRPC status that is an error. */
export type StatusName = Exclude<keyof typeof Status, 'OK' | 'UNRECOGNIZED'>;

/** Which calls a fault happens to. What is left out matches every call. */
export interface FaultRule {
  /** What errors, logs and health call it. Default: `rule-1` for the first one. */
  readonly id?: string | undefined;
  /** Where it happens: in the calls that this instance makes, or in those that it serves. */
  readonly side: 'client' | 'server';
  /**
   * `account.v1.AccountService/GetAccount`, `account.v1.AccountService`, a package (`account.v1`, `account`), or anything with a `*`
   * at its end. Health, reflection and the platform's own contracts (`talaria.…`) are spared unless contract or method is named in full.
   */
  readonly method?: string | undefined;
  /** The service that makes the call, such as `service.transaction`. At the server: as its token proves. */
  readonly caller?: string | undefined;
  /** The instance in which it happens. */
  readonly instance?: string | undefined;
  /** Side `client`: where the call goes, `host:port`. */
  readonly address?: string | undefined;
  /** Of how many calls in a hundred, each attempt and hedge by itself. Default 100. */
  readonly percentage?: number | undefined;
  /** Only of calls whose metadata has this key; with `value`, exactly that. */
  readonly header?: { readonly name: string; readonly value?: string | undefined } | undefined;
  /** What happens. The first rule that hits a call decides. */
  readonly fault: Fault;
}
